"""What the gateway refuses, each with its code; all are `BlazzError`s, answered as problem+json.

GatewayError
├── InvalidCredentials 401 · CredentialExpired 401 · RefreshReused 401
├── CsrfMissing 403 · ForeignWorkspace 403 · RoleMissing 403 · ScopeMissing 403 · SignatureWrong 403
├── VerifyTokenWrong 403 · ForeignNumber 403
├── InvitationInvalid 404 · LoginNeeded 401 · InvitationForeign 403
├── WorkspaceUnnamed 400 · Malformed 400
├── KeyReused 422 · KeyInFlight 409
└── RateLimited 429
"""

from blazz_chassis.errors import BlazzError

from blazz_gateway.rate import WINDOW, Decision


class GatewayError(BlazzError):
    """Root of what the gateway itself refuses."""


class InvalidCredentials(GatewayError):
    """E-mail or password is wrong; which of them is not told."""

    code, title, status = "invalid_credentials", "The e-mail address or the password is wrong", 401


class CredentialInvalid(GatewayError):
    """The bearer token or cookie is unknown, expired or revoked."""

    code, title, status = "token_invalid", "The token is unknown, expired or revoked; log in again or use another", 401


class RefreshReused(GatewayError):
    """A refresh token was shown twice: one of the two was stolen, so the session is over."""

    code, title, status = (
        "refresh_reused",
        "This refresh token was used before; the session is closed, log in again",
        401,
    )


class CsrfMissing(GatewayError):
    """A cookie alone does not prove that our own page asks."""

    code, title, status = "csrf", "Send the XSRF-TOKEN cookie's value as the X-XSRF-TOKEN header", 403


class ForeignWorkspace(GatewayError):
    """Not one of the caller's workspaces. The same for one that does not exist."""

    code, title, status = "workspace_forbidden", "You have no access to this workspace", 403


class WorkspaceUnnamed(GatewayError):
    """The caller belongs to several workspaces and named none."""

    code, title, status = "workspace_unnamed", "Name one of your workspaces in the X-Workspace-Id header", 400


class RoleMissing(GatewayError):
    """The user's role in this workspace does not allow it."""

    code, title, status = "role_missing", "Your role does not allow this", 403


class ScopeMissing(GatewayError):
    """The API token was not given this scope."""

    code, title, status = "scope_missing", "This token lacks a scope for this", 403


class InvitationInvalid(GatewayError):
    """No invitation has this token (any more)."""

    code, title, status = (
        "invitation_invalid",
        "This invitation is unknown, used, withdrawn or expired; ask for another",
        404,
    )


class LoginNeeded(GatewayError):
    """Somebody with a login is invited: they show that it is theirs."""

    code, title, status = (
        "login_needed",
        "You have a login under this address: log in first, or send its password",
        401,
    )


class InvitationForeign(GatewayError):
    """The session is not of whom the invitation is for."""

    code, title, status = (
        "invitation_foreign",
        "This invitation is for another address than you are logged in with",
        403,
    )


class SignatureWrong(GatewayError):
    """A webhook that the app secret did not sign."""

    code, title, status = "signature_wrong", "The signature does not match the body and the app secret", 403


class VerifyTokenWrong(GatewayError):
    """Meta's handshake by somebody who does not know the verify token."""

    code, title, status = "verify_token_wrong", "The verify token is not this webhook's", 403


class ForeignNumber(GatewayError):
    """A webhook names a number of another workspace."""

    code, title, status = "number_forbidden", "This number belongs to another workspace", 403


class Malformed(GatewayError):
    """The body is not what its content type says."""

    code, title, status = "malformed", "The body cannot be read", 400


class KeyReused(GatewayError):
    """The Idempotency-Key was used with another body."""

    code, title, status = (
        "idempotency_key_reused",
        "This Idempotency-Key was used with another request; use a new one",
        422,
    )


class KeyInFlight(GatewayError):
    """The first request with this Idempotency-Key is still being handled."""

    code, title, status = (
        "idempotency_in_flight",
        "The first request with this Idempotency-Key is in flight; retry soon",
        409,
    )


class RateLimited(GatewayError):
    """Too many in the last 60 seconds; `retry_after` says when there is room again."""

    code, title, status = "rate_limited", "Too many requests in the last 60 seconds", 429

    def __init__(self, decision: Decision, detail: str | None = None) -> None:
        super().__init__(
            detail or f"at most {decision.limit} in any {WINDOW} seconds; try again later", retry_after=decision.wait
        )
        self.decision = decision
