"""What a channel's name says."""

from uuid import UUID

import pytest
from blazz_notifier.channel_name import PUBLIC_WORKSPACE, ChannelKind, read

WORKSPACE = UUID("0190f3a2-7e1b-7cc1-9d5f-2c5f6f6d7a01")


@pytest.mark.parametrize(
    ("name", "kind", "workspace", "topic"),
    [
        ("news", ChannelKind.PUBLIC, PUBLIC_WORKSPACE, ""),
        (f"workspace.{WORKSPACE}", ChannelKind.PUBLIC, PUBLIC_WORKSPACE, ""),
        (f"private-workspace.{WORKSPACE}", ChannelKind.PRIVATE, WORKSPACE, "workspace"),
        (f"private-chat.{WORKSPACE}", ChannelKind.PRIVATE, WORKSPACE, "chat"),
        (f"presence-workspace.{WORKSPACE}", ChannelKind.PRESENCE, WORKSPACE, "workspace"),
        (f"presence-conversation.{WORKSPACE}.{WORKSPACE}", ChannelKind.PRESENCE, WORKSPACE, "conversation"),
        (f"private-{WORKSPACE}", ChannelKind.PRIVATE, PUBLIC_WORKSPACE, ""),
        (f"private-workspace.{WORKSPACE}x", ChannelKind.PRIVATE, PUBLIC_WORKSPACE, ""),
        (f"private-workspace.{str(WORKSPACE).upper()}", ChannelKind.PRIVATE, WORKSPACE, "workspace"),
        (f"private-encrypted-workspace.{WORKSPACE}", ChannelKind.ENCRYPTED, WORKSPACE, "workspace"),
    ],
)
def test_the_name_tells_kind_workspace_and_topic(name, kind, workspace, topic):
    channel = read(name)
    assert (channel.kind, channel.workspace_id, channel.topic) == (kind, workspace, topic)


@pytest.mark.parametrize("name", ["", "a b", "ü", "x" * 201, "#server-to-user-1", "news\n"])
def test_what_is_no_channel_name_is_refused(name):
    with pytest.raises(ValueError, match="1 to 200"):
        read(name)
