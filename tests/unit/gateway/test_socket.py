"""Subscriptions are signed as Pusher's protocol says."""

from uuid import UUID, uuid4

import pytest
from blazz_chassis.errors import Forbidden, Invalid
from blazz_gateway.socket import Signer, check_socket_id, workspace_of
from pydantic import SecretStr

SOME_ID = "01a20f69-4aef-76f9-8cdb-2f2dd43e332f"


def test_the_signature_is_the_one_of_pushers_documentation() -> None:
    # https://pusher.com/docs/channels/library_auth_reference/auth-signatures/
    signer = Signer("278d425bdf160c739803", SecretStr("7ad3773142a6692b25b8"))
    assert signer.sign("1234.1234", "private-foobar") == {
        "auth": "278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"
    }
    data = '{"user_id":10,"user_info":{"name":"Mr. Channels"}}'
    assert signer.sign("1234.1234", "presence-foobar", data) == {
        "auth": "278d425bdf160c739803:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80",
        "channel_data": data,
    }


@pytest.mark.parametrize("kind", ["private-workspace", "presence-workspace", "private-chat"])
def test_a_channel_names_its_workspace(kind: str) -> None:
    workspace_id = uuid4()
    assert workspace_of(f"{kind}.{workspace_id}") == workspace_id


@pytest.mark.parametrize(
    "channel",
    [
        "",
        "public",
        "private-other.x",
        f"private-workspace.{SOME_ID}x",
        f"xprivate-chat.{SOME_ID}",
        "private-chat." + "-" * 36,
        f"private-workspace.{SOME_ID}\n",
        f"presence-chat.{SOME_ID}",
    ],
)
def test_any_other_channel_is_refused(channel: str) -> None:
    with pytest.raises(Forbidden):
        workspace_of(channel)


@pytest.mark.parametrize("socket_id", ["", "1", "1.2.3", "a.b", "1.2:private-chat", "1.2\n", "1" * 30 + ".1"])
def test_a_socket_id_that_is_none_is_refused(socket_id: str) -> None:
    with pytest.raises(Invalid):
        check_socket_id(socket_id)


def test_a_socket_id_is_taken() -> None:
    assert check_socket_id("1234.5678") == "1234.5678"
    assert UUID(int=0) == workspace_of(f"private-chat.{UUID(int=0)}")
