"""What happened on a linked phone waits until every device has it."""

from blazz_simulator.web import log as log_module
from blazz_simulator.web.line import Line
from blazz_simulator.web.log import Log
from blazz_simulator.web.message import WebMessage


def test_a_device_gets_what_came_after_its_place() -> None:
    log = Log()
    for number in range(5):
        log.append({"n": number})
    assert [event.body["n"] for event in log.after(3)] == [3, 4]
    assert (log.first, log.last, len(log)) == (1, 5, 5)


def test_what_everybody_has_is_forgotten_and_the_numbers_go_on() -> None:
    log = Log()
    for number in range(5):
        log.append({"n": number})
    log.trim(4)
    assert (log.first, len(log)) == (5, 1)
    log.clear()
    assert (log.first, log.append({}).seq) == (6, 6)


def test_the_log_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(log_module, "LOG_MAX", 3)
    log = Log()
    for number in range(5):
        log.append({"n": number})
    assert (log.first, len(log)) == (3, 3)


def test_a_line_forgets_nothing_that_a_device_has_not_seen() -> None:
    line = Line("493012345678", "Shop")
    line.tell({"e": "nobody listens"})
    assert len(line.log) == 0
    one, two = line.link("", "", ""), line.link("", "", "")
    for number in range(4):
        line.tell({"n": number})
    one.seen, two.seen = 4, 2
    line.trim()
    assert line.log.first == 3
    two.state = "logged_out"
    line.trim()
    assert len(line.log) == 0


def test_history_is_read_in_pieces_from_either_side() -> None:
    line = Line("493012345678", "Shop")
    for number in range(10):
        message = WebMessage(hex_=f"{number:04X}", remote="1@lid", from_me=True, me="2@lid", type_="chat", raw={})
        line.add(message)
    chat = line.chats["1@lid"]
    assert [m.id for m in chat.before(None, 2)] == ["0008", "0009"]
    assert [m.id for m in chat.before("0008", 3)] == ["0005", "0006", "0007"]
    assert [m.id for m in chat.after("0007", 5)] == ["0008", "0009"]
    assert chat.before("nobody", 5) == []


def test_the_oldest_messages_of_a_line_go_first(monkeypatch) -> None:
    monkeypatch.setattr("blazz_simulator.web.line.MESSAGES_MAX", 3)
    line = Line("493012345678", "Shop")
    for number in range(5):
        line.add(WebMessage(hex_=str(number), remote="1@lid", from_me=True, me="2@lid", type_="chat", raw={}))
    assert list(line.messages) == ["2", "3", "4"]
    assert [m.id for m in line.chats["1@lid"].messages] == ["2", "3", "4"]
