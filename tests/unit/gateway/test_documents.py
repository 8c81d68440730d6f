"""What the gateway says of itself."""

import pytest
from blazz_gateway.main import build
from blazz_gateway.role import GRANTABLE, PERMISSIONS, Permission, Role
from blazz_gateway.settings import GatewaySettings


@pytest.fixture(scope="module")
def openapi() -> dict[str, object]:
    return build(GatewaySettings(_env_file=None)).openapi()  # type: ignore[call-arg]


def test_the_document_says_how_one_logs_in(openapi: dict[str, object]) -> None:
    schemes = openapi["components"]["securitySchemes"]  # type: ignore[index]
    assert set(schemes) == {"bearer", "cookie"}
    assert openapi["security"] == [{"bearer": []}, {"cookie": []}]


def test_every_reference_of_the_document_leads_somewhere(openapi: dict[str, object]) -> None:
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                found.append(value["$ref"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(openapi)
    assert found
    for reference in found:
        target: object = openapi
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]  # type: ignore[index]


def test_every_operation_has_a_summary_and_a_name_of_its_own(openapi: dict[str, object]) -> None:
    operations = [each for path in openapi["paths"].values() for each in path.values()]  # type: ignore[attr-defined]
    assert all(each.get("summary") for each in operations)
    names = [each["operationId"] for each in operations]
    assert len(names) == len(set(names))


def test_nothing_internal_is_offered(openapi: dict[str, object]) -> None:
    assert not [path for path in openapi["paths"] if "internal" in path]  # type: ignore[attr-defined]


def test_a_viewer_only_reads_and_an_agent_talks() -> None:
    assert {right.rpartition(":")[2] for right in PERMISSIONS[Role.VIEWER]} == {"read", "join"}
    assert Permission.MESSAGES_SEND in PERMISSIONS[Role.AGENT]
    for reserved in (Permission.CHANNELS_WRITE, Permission.CAMPAIGNS_WRITE, Permission.TOKENS_WRITE):
        assert reserved not in PERMISSIONS[Role.AGENT]
        assert reserved in PERMISSIONS[Role.ADMIN]


def test_a_token_can_make_no_tokens() -> None:
    assert Permission.TOKENS_WRITE not in GRANTABLE
