"""What the folder of a stack remembers: ports, passwords, logs."""

import io
import socket
import stat
from pathlib import Path

import pytest
from blazz_local.credentials import Credentials
from blazz_local.errors import AlreadyRunning, NoSuchProcess
from blazz_local.folder import Folder
from blazz_local.lock import held, holder
from blazz_local.logs import Follower, cap, last_lines, logs_of
from blazz_local.ports import FIRST, LAST, Ports


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / ".blazz")
    folder.create()
    return folder


def test_a_restart_uses_the_same_ports(folder: Folder) -> None:
    names = ("amqp", "postgres", "gateway")
    first = [Ports(folder).get(name) for name in names]
    assert [Ports(folder).get(name) for name in names] == first
    assert len(set(first)) == len(names)
    assert all(FIRST <= port <= LAST for port in first)


def test_a_port_that_somebody_took_meanwhile_is_replaced(folder: Folder) -> None:
    port = Ports(folder).get("gateway")
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert Ports(folder).get("gateway") != port


def test_stacks_in_two_folders_have_different_ports(tmp_path: Path) -> None:
    folders = [Folder(tmp_path / name) for name in ("one", "two")]
    for folder in folders:
        folder.create()
    first, second = ({Ports(folder).get(name) for name in ("amqp", "postgres")} for folder in folders)
    assert not first & second


def test_passwords_are_kept_and_readable_by_the_owner_alone(folder: Folder) -> None:
    password = Credentials(folder).password("chat_api")
    assert Credentials(folder).password("chat_api") == password
    assert Credentials(folder).password("chat_owner") != password
    assert stat.S_IMODE(folder.credentials.stat().st_mode) == 0o600


def test_a_damaged_file_of_passwords_is_made_anew(folder: Folder) -> None:
    folder.credentials.write_text('{"chat_api": "x')
    assert Credentials(folder).password("chat_api")


def test_one_supervisor_a_folder(folder: Folder) -> None:
    assert holder(folder) is None
    with held(folder):
        assert holder(folder) is not None
        with pytest.raises(AlreadyRunning, match="make down"), held(folder):
            pytest.fail("two hold it")
    assert holder(folder) is None


def test_a_log_that_grew_too_long_is_moved_aside_under_its_writer(folder: Folder) -> None:
    log = folder.log("chat")
    with log.open("a") as writer:
        writer.write("old\n" * 100)
        writer.flush()
        cap(log, 50)
        writer.write("new\n")
    assert log.read_text() == "new\n"
    assert log.with_name("chat.log.1").read_text() == "old\n" * 100


def test_the_last_lines_of_a_log_are_quoted(folder: Folder) -> None:
    folder.log("chat").write_text("\n".join(str(n) for n in range(100)))
    assert last_lines(folder.log("chat"), 2) == "98\n99"
    assert last_lines(folder.log("nobody")) == ""


def test_whole_lines_are_printed_after_the_name_of_their_process(folder: Folder) -> None:
    out = io.StringIO()
    log = folder.log("chat")
    log.write_text("before\n")
    follower = Follower([log, folder.log("gateway")], out=out)
    with log.open("a") as file:
        file.write("one\nhal")
        file.flush()
        follower.poll()
        file.write("f\n")
    folder.log("gateway").write_text("up\n")
    follower.poll()
    assert [line.split(" | ") for line in out.getvalue().splitlines()] == [
        ["chat            ", "one"],
        ["chat            ", "half"],
        ["gateway         ", "up"],
    ]


def test_logs_are_those_named_or_all_there_are(folder: Folder) -> None:
    folder.log("gateway-migrate").touch()
    assert logs_of(folder, []) == [folder.log("gateway-migrate")]
    assert logs_of(folder, ["gateway-migrate", "chat"]) == [folder.log("gateway-migrate"), folder.log("chat")]


def test_a_log_of_a_process_that_is_none_is_refused_with_those_there_are(folder: Folder) -> None:
    folder.log("apt").touch()
    with pytest.raises(NoSuchProcess, match=r"^no nope; there are: rabbitmq, postgres, .*chat.*, apt$"):
        logs_of(folder, ["chat", "nope"])
