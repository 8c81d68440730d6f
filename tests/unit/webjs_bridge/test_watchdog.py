"""When a browser is opened anew, and after which pause."""

from blazz_webjs_bridge.watchdog import Watchdog


def watchdog() -> Watchdog:
    return Watchdog(frozen=20, memory_limit=100, first=0.5, cap=60)


def test_a_page_that_is_silent_for_too_long_is_opened_anew() -> None:
    dog = watchdog()
    dog.opened(100)
    assert dog.complaint(119, memory=None, idle=True) is None
    dog.heard(119)
    assert dog.complaint(138, memory=None, idle=True) is None
    complaint = dog.complaint(140, memory=None, idle=True)
    assert complaint is not None
    assert complaint.counted


def test_a_page_that_holds_too_much_memory_is_opened_anew_only_when_it_is_idle() -> None:
    dog = watchdog()
    dog.opened(0)
    assert dog.complaint(1, memory=101, idle=False) is None
    complaint = dog.complaint(1, memory=101, idle=True)
    assert complaint is not None
    assert not complaint.counted


def test_pauses_double_up_to_the_cap() -> None:
    dog = watchdog()
    assert [dog.pause(0, counted=True) for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


def test_what_is_asked_for_waits_for_nothing_and_counts_for_nothing() -> None:
    dog = watchdog()
    assert dog.pause(0, counted=False) == 0
    assert dog.restarts == 0


def test_restarts_are_forgotten_after_a_minute_of_being_ready_and_not_before() -> None:
    dog = watchdog()
    dog.pause(0, counted=True)
    dog.ready(10)
    assert dog.pause(30, counted=True) == 1.0
    dog.ready(40)
    assert dog.pause(101, counted=True) == 0.5
