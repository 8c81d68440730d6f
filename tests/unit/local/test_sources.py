"""Where RabbitMQ comes from, and what is said when it comes from nowhere."""

import importlib
from itertools import pairwise
from pathlib import Path

import pytest
from blazz_local import debian, rabbitmq
from blazz_local.address import with_login
from blazz_local.credentials import Credentials
from blazz_local.databases import SERVICES, ServiceDatabase, name_of
from blazz_local.errors import ServerMissing, StartFailed
from blazz_local.folder import Folder
from blazz_local.ports import Ports
from blazz_local.process import MARK
from blazz_local.services import LOCAL_SETTINGS, Site


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / ".blazz")
    folder.create()
    return folder


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which nothing is, but what a test puts there."""
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setattr(rabbitmq, "PACKAGED_SERVER", path / "rabbitmq-server")
    monkeypatch.setattr(debian.os, "geteuid", lambda: 1000)
    return path


def put(folder: Path, name: str, script: str = "exit 0") -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def find(folder: Folder) -> rabbitmq.RabbitMQ:
    return rabbitmq.find(folder, Ports(folder), Credentials(folder), lambda _: None)


def test_docker_comes_first_and_listens_on_this_machine_only(folder: Folder, programs: Path) -> None:
    put(programs, "docker")
    put(programs, "rabbitmq-server")
    (program,) = find(folder).programs
    published = [word for before, word in pairwise(program.command) if before == "--publish"]
    assert len(published) == 2
    assert all(word.startswith("127.0.0.1:") for word in published)


def test_a_docker_client_without_an_engine_is_no_docker(folder: Folder, programs: Path) -> None:
    put(programs, "docker", "exit 1")
    put(programs, "rabbitmq-server")
    put(programs, "epmd")
    assert [program.name for program in find(folder).programs] == ["epmd", "rabbitmq"]


def test_the_packaged_node_is_private(folder: Folder, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_NODENAME", "rabbit@production")
    put(programs, "rabbitmq-server")
    put(programs, "epmd")
    _, node = find(folder).programs
    assert node.env["RABBITMQ_NODENAME"] == f"blazz-{folder.name}@localhost"
    assert node.env["ERL_EPMD_PORT"] != "4369"
    assert node.env[MARK] == str(folder.path)
    for name in ("HOME", "RABBITMQ_MNESIA_BASE", "RABBITMQ_CONFIG_FILE", "RABBITMQ_CONF_ENV_FILE"):
        assert Path(node.env[name]).is_relative_to(folder.path)
    assert "listeners.tcp.local = 127.0.0.1:" in (folder.rabbitmq / "rabbitmq.conf").read_text()


def test_with_no_way_to_a_broker_one_sentence_says_what_to_install(folder: Folder, programs: Path) -> None:
    with pytest.raises(ServerMissing, match=r"sudo apt-get install rabbitmq-server$"):
        find(folder)


def test_the_package_is_installed_through_sudo(folder: Folder, programs: Path) -> None:
    put(programs, "apt-get")
    put(programs, "sudo", f'echo "sudo $1" > {programs}/called; : > {programs}/rabbitmq-server')
    put(programs, "epmd")
    assert find(folder).programs
    assert (programs / "called").read_text() == "sudo sh\n"


def test_when_apt_fails_the_end_of_what_it_said_is_quoted(folder: Folder, programs: Path) -> None:
    put(programs, "apt-get")
    put(programs, "sudo", "echo 'E: Unable to locate package rabbitmq-server'; exit 100")
    with pytest.raises(StartFailed, match="Unable to locate package"):
        find(folder)


def test_a_given_broker_needs_its_management_address_too() -> None:
    with pytest.raises(ServerMissing, match="BLAZZ_AMQP_MANAGEMENT_URL"):
        rabbitmq.given("amqp://me:secret@broker/", None)


def test_a_given_management_address_may_leave_out_what_the_broker_s_says() -> None:
    given = rabbitmq.given("amqp://me:secret@broker/", "http://broker:15672")
    assert given.management_url == "http://me:secret@broker:15672"
    assert given.programs == ()


class TestEnvironmentOfServices:
    """Who wins where a setting is named twice."""

    @pytest.fixture
    def site(self, folder: Folder) -> Site:
        databases = {name: ServiceDatabase(name, "owner", "api", "worker") for name in SERVICES}
        overrides = {"chat": {"BLAZZ_CHAT_SETTLE": "1"}}
        return Site(folder, Ports(folder), Credentials(folder), "amqp://a:b@h:1/", databases, overrides)

    def test_the_caller_s_settings_reach_the_services(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BLAZZ_LOG_LEVEL", "debug")
        assert site.environment("gateway")["BLAZZ_LOG_LEVEL"] == "debug"

    def test_an_override_wins_over_everything(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BLAZZ_CHAT_SETTLE", "99")
        assert site.environment("chat")["BLAZZ_CHAT_SETTLE"] == "1"

    def test_no_service_gets_an_administrator_s_password(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BLAZZ_POSTGRES_URL", "postgresql://postgres:root@h/")
        monkeypatch.setenv("BLAZZ_AMQP_URL", "amqp://admin:root@h/")
        environment = site.environment("gateway")
        assert "BLAZZ_POSTGRES_URL" not in environment
        assert environment["BLAZZ_AMQP_URL"].startswith("amqp://gateway:")

    def test_every_local_setting_is_one_that_the_service_knows(self, site: Site) -> None:
        for service, settings in LOCAL_SETTINGS.items():
            package = "blazz_chassis" if service == "every service" else f"blazz_{name_of(service)}"
            module = importlib.import_module(f"{package}.settings")
            known = {
                f"BLAZZ_{field.upper()}"
                for kind in vars(module).values()
                if isinstance(kind, type) and hasattr(kind, "model_fields")
                for field in kind.model_fields
            }
            assert set(settings) <= known

    def test_the_simulator_knows_of_no_service_but_its_callback(self, site: Site) -> None:
        ours = {name for name in site.environment("simulator") if name.startswith("BLAZZ_") and name != MARK}
        assert {name for name in ours if not name.startswith("BLAZZ_SIM_")} <= set(LOCAL_SETTINGS["every service"])


def test_a_service_s_own_user_takes_the_place_of_the_administrator() -> None:
    url = with_login("amqp://admin:x@127.0.0.1:5672/v", "webjs-bridge", "p@ss")
    assert url == "amqp://webjs-bridge:p%40ss@127.0.0.1:5672/v"
