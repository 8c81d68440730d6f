"""Who may use the HTTP API: whoever signs with the application's secret."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from blazz_chassis.errors import NotFound, Unauthorized
from fastapi import Request

from blazz_notifier import signature
from blazz_notifier.settings import Settings


def signed(settings: Settings) -> Callable[[Request, str], Awaitable[None]]:
    """A dependency that lets only signed requests for this application through."""

    async def check(request: Request, app_id: str) -> None:
        if app_id != settings.pusher_app_id:
            raise NotFound(f"There is no application {app_id[:50]!r}", code="application_unknown")
        problem = signature.request_problem(
            key=settings.pusher_key,
            secret=settings.pusher_secret.get_secret_value(),
            method=request.method,
            path=request.url.path,
            query=parse_qsl(request.url.query, keep_blank_values=True),
            body=await request.body(),
        )
        if problem is not None:
            raise Unauthorized(problem, code="signature_invalid")

    return check
