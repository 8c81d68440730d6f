"""An access token is ours, of now, and for one session."""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from blazz_gateway import secret
from blazz_gateway.errors import CredentialInvalid
from blazz_gateway.session import Sessions
from pydantic import SecretStr

KEY = SecretStr("k" * 40)
SESSIONS = Sessions(KEY, access_seconds=900, lifetime=timedelta(days=1))
ACCESS_KEY = secret.derived(KEY, "access token")
SESSION_ID = UUID("01a20f69-4aef-76f9-8cdb-2f2dd43e332f")


def made(key: bytes = ACCESS_KEY, algorithm: str = "HS256", **more: Any) -> str:
    now = int(time.time())
    claims = {"iss": "blazz-gateway", "sub": str(uuid4()), "sid": str(SESSION_ID), "iat": now, "exp": now + 900}
    return jwt.encode({name: value for name, value in (claims | more).items() if value is not None}, key, algorithm)


def test_our_own_token_names_its_session() -> None:
    assert SESSIONS.session_of(made()) == SESSION_ID


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "blz_" + "x" * 43,
        made(exp=int(time.time()) - 6),
        made(exp=None),
        made(iss="another"),
        made(sid="not a uuid"),
        made(sid=7),
        made(sid=None),
        made(key=b"another key, as long as it has to be"),
        # The key that all services share is not the key of access tokens.
        made(key=KEY.get_secret_value().encode()),
        made(algorithm="HS512", key=ACCESS_KEY * 2),
        jwt.encode({"sid": str(SESSION_ID)}, None, "none"),  # type: ignore[arg-type]
    ],
)
def test_any_other_token_is_refused(token: str) -> None:
    with pytest.raises(CredentialInvalid):
        SESSIONS.session_of(token)


def test_a_csrf_token_is_bound_to_its_session() -> None:
    token = SESSIONS.csrf_token(SESSION_ID)
    assert SESSIONS.csrf_matches(SESSION_ID, token, token)
    assert not SESSIONS.csrf_matches(uuid4(), token, token)
    for cookie, header in ((token, None), (None, token), (None, None), ("x", "x"), (token, "x"), ("é", "é")):
        assert not SESSIONS.csrf_matches(SESSION_ID, cookie, header)
