"""CSV as spreadsheets save it."""

import pytest
from blazz_campaign import spreadsheet
from blazz_campaign.spreadsheet import BadSpreadsheet, Row


def read(text: str, part: int = 1_000_000) -> list[Row]:
    """Read it in parts of so many bytes."""
    body = text.encode()
    return list(spreadsheet.rows(body[at : at + part] for at in range(0, len(body), part)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_delimiter_line_ends_and_bom_are_found_out(delimiter: str, line_end: str, bom: str) -> None:
    lines = [["phone", "name"], ["+4915112345678", "Ana"], ["+4915112345679", "Bo"]]
    text = bom + line_end.join(delimiter.join(cells) for cells in lines)
    assert read(text) == [Row(2, "4915112345678", {"name": "Ana"}), Row(3, "4915112345679", {"name": "Bo"})]


@pytest.mark.parametrize("part", [1, 3, 7, 1000])
def test_it_reads_the_same_however_the_parts_are_cut(part: int) -> None:
    text = '\ufeffname;phone\r\n"Zoë; ""the"" boss\r\nof all";+4915112345678\r\n😀;+4915112345679\r\n'
    assert read(text, part) == [
        Row(2, "4915112345678", {"name": 'Zoë; "the" boss\r\nof all'}),
        Row(3, "4915112345679", {"name": "😀"}),
    ]


def test_a_comma_inside_quotes_of_the_header_is_no_delimiter() -> None:
    assert read('phone;"a, b, c"\n+4915112345678;x\n') == [Row(2, "4915112345678", {"a, b, c": "x"})]


def test_the_phone_column_is_found_whatever_its_case_and_place() -> None:
    assert read("Name, PHONE \nAna,+4915112345678\n")[0].phone == "4915112345678"


def test_empty_rows_are_nobody_and_short_rows_have_no_value() -> None:
    assert read("phone,name\n\n,\n+4915112345678\n") == [Row(4, "4915112345678", {})]


def test_rows_that_cannot_be_say_why_and_stop_nothing() -> None:
    refused = read("phone,name\n0151,Ana\n,Bo\n+4915112345678,Cy,more\n+4915112345678,a\0b\n+4915112345678,ok\n")
    assert [row.number for row in refused] == [2, 3, 4, 5, 6]
    assert [row.refusal is not None for row in refused] == [True, True, True, True, False]
    long = read("phone,name\n+4915112345678," + "x" * 1025 + "\n")
    assert "1024" in (long[0].refusal or "")


@pytest.mark.parametrize(
    "text",
    [
        "name\nAna\n",
        "phone,a,a\n",
        "phone," + ",".join(f"c{n}" for n in range(51)) + "\n",
        "phone," + "x" * 65 + "\n",
        "\n",
    ],
)
def test_a_header_of_no_use_is_refused_before_anything_is_stored(text: str) -> None:
    with pytest.raises(BadSpreadsheet):
        spreadsheet.check(text)


def test_a_good_header_passes_the_check_with_and_without_rows() -> None:
    spreadsheet.check("phone")
    spreadsheet.check('\ufeff"phone";"name"\r\n+4915112345678;Ana\r\n')


def test_a_quote_that_is_never_closed_is_said_to_be_that() -> None:
    with pytest.raises(BadSpreadsheet, match="quote"):
        read('phone,name\n+4915112345678,"' + "x" * 200_000)
