"""Meta's error codes are classed as its documentation says."""

import pytest
from blazz_chat.failures import Remedy, from_errors, refusal, remedy_of


@pytest.mark.parametrize(
    ("codes", "remedy"),
    [
        ([1, 2, 4, 80007, 130429, 131000, 131016, 131057, 133004], Remedy.RETRY),
        ([131056], Remedy.PAIR),
        ([131049], Remedy.TOMORROW),
        ([0, 10, 190, 200, 250, 299, 368, 131031, 131042, 131045, 131048, 131063, 131064, 133010], Remedy.STOP_CHANNEL),
        ([132001, 132007, 132015, 132016], Remedy.STOP_TEMPLATE),
        ([131050], Remedy.OPT_OUT),
        ([130403, 130472, 130497, 131008, 131009, 131021, 131026, 131047, 131051, 131053, 132000, 132005], Remedy.FAIL),
        ([999999, 300, 199], Remedy.FAIL),
    ],
)
def test_each_code_has_its_remedy(codes: list[int], remedy: Remedy) -> None:
    assert {remedy_of(code) for code in codes} == {remedy}


def test_a_refusal_without_a_code_fails_the_recipient_with_a_sentence() -> None:
    for errors in ([], [{}], [{"code": "nonsense"}], [{"code": None, "error_data": "text"}]):
        refused = from_errors(errors)
        assert refused.remedy is Remedy.FAIL
        assert refused.failure.title


def test_people_read_what_to_do() -> None:
    assert "template" in refusal(131047, "Re-engagement message").failure.title
