"""The ledger: in order, bounded, and readable from any point."""

from blazz_simulator.accounts import Accounts
from blazz_simulator.ledger import PAGE, Ledger, decode
from blazz_simulator.message import Message
from blazz_simulator.phones.phone import Phone
from blazz_simulator.settings import Settings

ACCOUNT = Accounts(Settings()).default
PHONE = Phone("4915112345678", 10, True)


def _fill(ledger: Ledger, count: int) -> None:
    for number in range(count):
        body = {"body": f"text {number}\nsecond line"}
        ledger.append(
            Message(
                wamid=f"w{number}", account=ACCOUNT, phone=PHONE, author="business", type_="text", body=body, at=1.5
            )
        )


def test_every_entry_is_given_once_over_page_borders() -> None:
    ledger = Ledger(10 * PAGE)
    _fill(ledger, 2 * PAGE + 7)
    seen, after = [], 0
    while True:
        entries, after = ledger.after(after, 333)
        if not entries:
            break
        seen += decode(entries)
    assert [entry["seq"] for entry in seen] == list(range(1, 2 * PAGE + 8))
    assert [entry["wamid"] for entry in seen] == [f"w{number}" for number in range(2 * PAGE + 7)]
    assert seen[-1]["body"]["body"] == f"text {2 * PAGE + 6}\nsecond line"
    assert after == ledger.last


def test_the_oldest_entries_go_when_it_is_full() -> None:
    ledger = Ledger(2 * PAGE)
    _fill(ledger, 5 * PAGE + 3)
    assert ledger.first == 3 * PAGE + 1
    entries, _ = ledger.after(0, 1)
    assert decode(entries)[0]["seq"] == ledger.first


def test_reading_past_the_end_gives_nothing_and_stays_where_it_was() -> None:
    ledger = Ledger(PAGE)
    _fill(ledger, 3)
    assert ledger.after(3, 10) == ([], 3)
    assert ledger.after(99, 10) == ([], 99)


def test_sequence_numbers_go_on_after_a_clear() -> None:
    ledger = Ledger(10 * PAGE)
    _fill(ledger, PAGE + 3)
    ledger.clear()
    assert ledger.after(0, 10) == ([], 0)
    _fill(ledger, 1)
    entries, after = ledger.after(PAGE + 3, 10)
    assert (decode(entries)[0]["seq"], after) == (PAGE + 4, PAGE + 4)
