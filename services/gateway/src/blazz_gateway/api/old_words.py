"""The old WhatsApp Web service's words: `{success: true, …}`, and `{success: false, error}` in what is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from blazz_chassis import problem
from blazz_chassis.errors import BlazzError, FieldError
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

Handler = Callable[[Request], Awaitable[Response]]


class OldRoute(APIRoute):
    """A route whose clients look at `success` and `error`."""

    def get_route_handler(self) -> Handler:  # type: ignore[override]
        """The route's handler, its refusals in old words."""
        handle = super().get_route_handler()

        async def in_old_words(request: Request) -> Response:
            try:
                return await handle(request)
            except BlazzError as error:
                return refused(problem.of_error(error))
            except RequestValidationError as error:
                fields = [FieldError(".".join(map(str, each["loc"])), str(each["msg"])) for each in error.errors()]
                detail = f"{fields[0].field}: {fields[0].message}"
                return refused(problem.response(422, "invalid", "The request is not valid", detail, errors=fields))

        return in_old_words


def answered(**fields: Any) -> Response:
    """What went well."""
    # Codes to scan are among them: nothing of it is kept on the way.
    return Response(
        orjson.dumps({"success": True, **fields}), headers={"Cache-Control": "no-store"}, media_type="application/json"
    )


def refused(told: Response) -> Response:
    """What did not: a problem like all others, in which old clients find their words."""
    said = orjson.loads(bytes(told.body))
    body = orjson.dumps({"success": False, "error": said["detail"], **said})
    headers = {name: value for name, value in told.headers.items() if name not in ("content-length", "content-type")}
    return Response(body, told.status_code, headers=headers, media_type=problem.MEDIA_TYPE)
