"""Who asks, in which workspace, with which rights."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from blazz_chassis.context import WorkspaceContext
from blazz_chassis.errors import Forbidden

from blazz_gateway.errors import RoleMissing, ScopeMissing
from blazz_gateway.role import PERMISSIONS, Permission, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or an API token, acting in one workspace."""

    kind: Literal["user", "token"]
    id: UUID
    workspace_id: UUID
    role: Role | None = None
    scopes: frozenset[Permission] = frozenset()
    session_id: UUID | None = None
    name: str = ""
    rate_per_minute: int | None = None
    """Messages in any 60 seconds; None: no limit."""

    @property
    def permissions(self) -> frozenset[Permission]:
        """What they may do."""
        return PERMISSIONS[self.role] if self.role is not None else self.scopes

    def require(self, permission: Permission) -> None:
        """Return when they may; raise `RoleMissing` or `ScopeMissing`."""
        if permission not in self.permissions:
            if self.kind == "token":
                raise ScopeMissing(f"this token lacks the scope {permission}")
            raise RoleMissing(f"your role {self.role} does not include {permission}")

    def require_rank(self, role: Role) -> None:
        """Return when they may give or take this role: an admin neither becomes owner nor puts one out."""
        if role is Role.OWNER and self.role is not Role.OWNER:
            raise Forbidden("only an owner may do this to an owner", code="owner_required")

    @property
    def rate_subject(self) -> str:
        """Whose sends are counted together."""
        return f"{self.kind}:{self.id}"

    def context(self) -> WorkspaceContext:
        """What the other services are told."""
        return WorkspaceContext(
            workspace_id=self.workspace_id,
            actor_id=self.id,
            actor_kind=self.kind,
            role=self.role,
            scopes=tuple(sorted(self.scopes)),
        )
