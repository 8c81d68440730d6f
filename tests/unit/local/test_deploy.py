"""The container deployment, as far as it can be checked without an engine."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from blazz_chassis.settings import ServiceSettings
from blazz_contracts.topology import SERVICES
from blazz_local import CLONE
from blazz_local.databases import KINDS, name_of
from blazz_local.definitions import TARGET, rendered

DEPLOY = CLONE / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
MIGRATIONS = [f"migrate-{service}" for service in SERVICES]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """A fresh deploy/.env."""
    output = subprocess.check_output([sys.executable, CLONE / "scripts" / "compose_env.py"], text=True)
    return dict(line.split("=", 1) for line in output.splitlines())


@pytest.fixture(scope="module")
def compose(environment: dict[str, str]) -> dict[str, Any]:
    """The compose file with its variables filled in, as an engine would."""

    def value(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(":")
        if default.startswith("?"):
            return environment[name]
        return default.removeprefix("-")

    return yaml.safe_load(re.sub(r"\$\{([^}]+)\}", value, COMPOSE.read_text()))


def test_the_compose_file_follows_the_compose_specification() -> None:
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", COMPOSE]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_every_service_is_there_with_its_migration_and_the_simulator_by_profile(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {*SERVICES, *MIGRATIONS, "simulator", "rabbitmq", "postgres", "definitions"}
    assert services["simulator"]["profiles"] == ["simulator"]
    assert services["rabbitmq"]["image"].startswith("rabbitmq:4")
    assert services["postgres"]["image"] == "postgres:18"
    for service in SERVICES:
        assert services[service]["depends_on"] == {
            f"migrate-{service}": {"condition": "service_completed_successfully"},
            "rabbitmq": {"condition": "service_healthy"},
        }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_every_setting_that_production_needs(
    service: str, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module(f"blazz_{name_of(service)}.settings")
    (settings_class,) = (
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, ServiceSettings) and kind is not ServiceSettings
    )
    for name, value in compose["services"][service]["environment"].items():
        monkeypatch.setenv(name, value)
    settings = settings_class()
    settings.require(
        "amqp_url", "database_api_url", "database_worker_url", "context_key", "seal_key", "pusher_key", "pusher_secret",
    )  # fmt: skip
    assert settings.env == "production"
    # Whoever owns a table is not bound by its row-level security: a process that serves must not be able to.
    assert not settings.database_owner_url.get_secret_value()
    migrating = dict(compose["services"][f"migrate-{service}"]["environment"])
    role, passwords = name_of(service), set()
    for kind in KINDS:
        url = migrating[f"BLAZZ_DATABASE_{kind.upper()}_URL"]
        match = re.fullmatch(rf"postgresql://{role}_{kind}:([0-9a-f]+)@postgres:5432/{role}", url)
        assert match is not None
        passwords.add(match[1])
    assert len(passwords) == len(KINDS)
    assert re.fullmatch(rf"amqp://{service}:[0-9a-f]+@rabbitmq:5672/", settings.amqp_url.get_secret_value())
    del migrating["BLAZZ_DATABASE_OWNER_URL"]
    assert compose["services"][service]["environment"] == migrating


@pytest.mark.parametrize("service", SERVICES)
def test_services_find_each_other_at_the_ports_they_listen_on(service: str, compose: dict[str, Any]) -> None:
    port = compose["services"][service]["environment"]["BLAZZ_HTTP_PORT"]
    for other in SERVICES:
        address = compose["services"][other]["environment"][f"BLAZZ_{name_of(service).upper()}_URL"]
        assert address == f"http://{service}:{port}"
    internal = compose["services"][service]["environment"]["BLAZZ_INTERNAL_PORT"]
    assert f"127.0.0.1:{internal}/readyz" in compose["services"][service]["healthcheck"]["test"][-1]


def test_what_is_for_operators_is_published_nowhere(compose: dict[str, Any]) -> None:
    internal = {compose["services"][service]["environment"]["BLAZZ_INTERNAL_PORT"] for service in SERVICES}
    published = [port.rpartition(":")[2] for each in compose["services"].values() for port in each.get("ports", ())]
    assert published
    assert not internal & set(published)


def test_files_that_are_mounted_exist(compose: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", ())
        if volume.startswith(".")
    ]
    assert mounted
    assert all((DEPLOY / path).exists() for path in mounted)


def test_the_committed_broker_definitions_are_those_of_the_contracts() -> None:
    assert TARGET.read_text() == rendered(), "run: make schemas"


def test_the_broker_gets_a_user_with_a_password_for_each_service(environment: dict[str, str]) -> None:
    filled = load(DEPLOY / "rabbitmq" / "fill_passwords.py").filled(json.loads(TARGET.read_text()), environment)
    assert {user["name"] for user in filled["users"]} == {*SERVICES, "admin"}
    assert all(user["password_hash"] for user in filled["users"])
    assert {permission["user"] for permission in filled["permissions"]} == {*SERVICES, "admin"}


def test_a_missing_broker_password_is_named(environment: dict[str, str]) -> None:
    without = {name: value for name, value in environment.items() if name != "BLAZZ_RABBITMQ_PASSWORD_CHAT"}
    with pytest.raises(SystemExit, match="set BLAZZ_RABBITMQ_PASSWORD_CHAT"):
        load(DEPLOY / "rabbitmq" / "fill_passwords.py").filled(json.loads(TARGET.read_text()), without)
