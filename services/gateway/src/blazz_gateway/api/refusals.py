"""Refusals that say more in headers than the chassis' problems do."""

from blazz_chassis import problem
from fastapi import FastAPI, Request, Response

from blazz_gateway.errors import RateLimited


def install(app: FastAPI) -> None:
    """Let a refused limit say what it is."""

    @app.exception_handler(RateLimited)
    async def limited(_: Request, error: RateLimited) -> Response:
        answer = problem.of_error(error)
        answer.headers.update(error.decision.headers())
        return answer
