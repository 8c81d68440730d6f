"""What a restarted simulator knows of linked pages, also when it was killed."""

from pathlib import Path

from blazz_simulator.web.group import Group
from blazz_simulator.web.line import Line
from blazz_simulator.web.register import Register

PHONE = "493012345678"


def started(folder: Path | None) -> tuple[Register, list[Line]]:
    register = Register(folder)
    lines = list(register.open())
    for line in lines:
        line.keep = register.keep
    return register, lines


def linked(register: Register) -> Line:
    line = Line(PHONE, "Shop")
    line.keep = register.keep
    line.link("Chromium", "Linux · Chrome", "2@abc")
    register.keep(line)
    return line


def test_devices_and_groups_are_known_again_and_logged_out_ones_are_not(tmp_path: Path) -> None:
    register, lines = started(tmp_path)
    assert lines == []
    line = linked(register)
    gone, kept = line.link("", "", ""), line.devices[f"{PHONE}:1"]
    gone.state = "logged_out"
    line.groups["1@g.us"] = Group("1@g.us", "Friends", PHONE, [PHONE, "4915112345678"])
    register.keep(line)
    register.close()
    _, (again,) = started(tmp_path)
    (device,) = again.devices.values()
    assert (device.id, device.token, device.linked_at) == (kept.id, kept.token, kept.linked_at)
    assert (device.platform, device.state, device.phone) == ("Linux · Chrome", "away", PHONE)
    assert (again.verified_name, again.groups["1@g.us"].view()) == ("Shop", line.groups["1@g.us"].view())
    assert again.link("", "", "").id == f"{PHONE}:3"  # the id of one that was logged out is nobody else's


def test_no_number_of_an_event_is_given_twice_though_the_simulator_was_killed(tmp_path: Path) -> None:
    register, _ = started(tmp_path)
    line = linked(register)
    for _n in range(2500):
        line.tell({"e": "msg"})
    _, (again,) = started(tmp_path)
    assert again.log.last >= line.log.last


def test_an_event_costs_no_write_of_its_own(tmp_path: Path) -> None:
    register, _ = started(tmp_path)
    line, written = linked(register), 0

    def counted(each: Line) -> None:
        nonlocal written
        written += 1
        register.keep(each)

    line.keep = counted
    for _n in range(10_000):
        line.tell({"e": "msg"})
    assert written <= 10


def test_without_a_folder_nothing_is_kept() -> None:
    register, _ = started(None)
    linked(register)
    register.close()
    assert started(None)[1] == []
