"""Who may do what: roles of people, scopes of API tokens, one table."""

from enum import StrEnum


class Permission(StrEnum):
    """A right. An API token holds a list of them as its scopes; a person gets them by role."""

    MESSAGES_READ = "messages:read"
    MESSAGES_SEND = "messages:send"
    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    MEDIA_READ = "media:read"
    MEDIA_WRITE = "media:write"
    CHANNELS_READ = "channels:read"
    CHANNELS_WRITE = "channels:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    SOCKETS_JOIN = "sockets:join"
    AUDIT_READ = "audit:read"
    TOKENS_WRITE = "tokens:write"
    MEMBERS_WRITE = "members:write"
    WORKSPACE_WRITE = "workspace:write"


class Role(StrEnum):
    """What a member of a workspace is."""

    OWNER = "owner"
    ADMIN = "admin"
    AGENT = "agent"
    VIEWER = "viewer"


_VIEWER = frozenset(
    {
        Permission.MESSAGES_READ,
        Permission.CONTACTS_READ,
        Permission.MEDIA_READ,
        Permission.CHANNELS_READ,
        Permission.CAMPAIGNS_READ,
        Permission.SOCKETS_JOIN,
    }
)
_AGENT = _VIEWER | {Permission.MESSAGES_SEND, Permission.CONTACTS_WRITE, Permission.MEDIA_WRITE}
_ADMIN = frozenset(Permission)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _ADMIN,
    Role.ADMIN: _ADMIN,
    Role.AGENT: _AGENT,
    Role.VIEWER: _VIEWER,
}
PERSONAL = frozenset({Permission.TOKENS_WRITE, Permission.MEMBERS_WRITE, Permission.WORKSPACE_WRITE})
"""Rights that a token never has: a stolen one must not be able to make itself permanent."""
GRANTABLE = frozenset(Permission) - PERSONAL
"""The scopes a token may be given."""
