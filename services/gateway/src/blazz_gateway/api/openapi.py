"""The OpenAPI document: FastAPI's, with the security schemes and the bodies that are handed on unread."""

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from blazz_gateway.api.passage import PASSAGES

_PAGES = ("/docs", "/docs/oauth2-redirect", "/redoc")
_REF = "#/components/schemas/{model}"


def install(app: FastAPI, *, access_cookie: str) -> None:
    """Let `/openapi.json` say how one logs in; the pages that would load scripts from elsewhere are off."""
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") not in _PAGES]
    plain = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = plain()
            components = schema.setdefault("components", {})
            components["securitySchemes"] = {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token (`blz_…`) or the access token of a login.",
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": access_cookie,
                    "description": "A browser's login; unsafe methods also need the X-XSRF-TOKEN header.",
                },
            }
            schema["security"] = [{"bearer": []}, {"cookie": []}]
            bodies = [(each.body, "validation") for each in PASSAGES if each.body is not None]
            _, definitions = models_json_schema(bodies, ref_template=_REF)  # type: ignore[arg-type]
            components["schemas"] = {**definitions["$defs"], **components.get("schemas", {})}
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
