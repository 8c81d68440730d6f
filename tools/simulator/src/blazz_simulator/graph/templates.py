"""Message templates: list, create, edit, delete, unpause."""

from __future__ import annotations

import copy

from aiohttp import web

from ..accounts import Account
from ..keys import WHATSAPP
from ..template_review import change_status, submit
from ..templates import Template
from .checks.template_definition import category_of, components_of, format_of, language_of, name_of
from .endpoint import answer, disturb, fields, token_of, waba
from .errors import GraphError, missing, no_object
from .selection import page, selected

_ALWAYS = ("name", "parameter_format", "components", "language", "status", "category")
_EDITABLE = ("APPROVED", "REJECTED", "PAUSED")


async def get_templates(request: web.Request) -> web.StreamResponse:
    """List a WABA's templates, by `name`, `name_or_content`, `status`, `language`, `category`, `fields` and paging."""
    account, whatsapp, query = waba(request)[0], request.app[WHATSAPP], request.query
    if cut := await disturb(whatsapp, request, "templates", account.phone_number_id):
        return cut
    found = whatsapp.templates.of_waba(account.waba_id)
    for name in ("name", "status", "language", "category"):
        if (wanted := query.get(name)) is not None:
            found = [t for t in found if str(getattr(t, name)).upper() == wanted.upper()]
    if (wanted := query.get("name_or_content")) is not None:
        found = [t for t in found if wanted.lower() in f"{t.name} {t.components}".lower()]
    return answer(page(request, [selected(request, template.view(), _ALWAYS) for template in found]))


async def post_templates(request: web.Request) -> web.StreamResponse:
    """Create a template; it waits for review and is then told of by webhook."""
    account, whatsapp = waba(request)[0], request.app[WHATSAPP]
    if cut := await disturb(whatsapp, request, "templates", account.phone_number_id):
        return cut
    data = await fields(request)
    name, language = name_of(data), language_of(data)
    format_ = format_of(data)
    template = Template(
        account.waba_id, name, language, category_of(data), components_of(data.get("components"), format_), format_
    )
    if whatsapp.templates.find(account.waba_id, name, language) is not None:
        raise GraphError(
            100,
            f"There is already {language} content for this template. Create a new template with another name.",
            message="Invalid parameter",
            subcode=2388024,
        )
    submit(whatsapp, template)
    return answer({"id": template.id, "status": template.status, "category": template.category})


async def delete_templates(request: web.Request) -> web.StreamResponse:
    """Delete a template by `name` in all languages, or with `hsm_id` in one."""
    account, whatsapp = waba(request)[0], request.app[WHATSAPP]
    name, template_id = request.query.get("name"), request.query.get("hsm_id")
    if name is None and template_id is None:
        raise GraphError(100, message="(#100) The parameter name is required.")
    found = [
        template
        for template in whatsapp.templates.of_waba(account.waba_id)
        if (name is None or template.name == name) and (template_id is None or template.id == template_id)
    ]
    if not found:
        raise GraphError(100, "Message Template Not Found", message="Invalid parameter", subcode=2593002)
    for template in found:
        whatsapp.templates.remove(template)
    return answer({"success": True})


def _allowed(request: web.Request, template: Template) -> Account:
    """Return an account of the template's WABA that the call's token may use."""
    whatsapp, given = request.app[WHATSAPP], token_of(request)
    for account in whatsapp.accounts.of_waba(template.waba_id):
        if account.access_token == given:
            return account
    if not whatsapp.accounts.knows_token(given):
        raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
    raise no_object(template.id, request.method)


async def get_template(request: web.Request, template: Template) -> web.StreamResponse:
    """Return one template."""
    _allowed(request, template)
    return answer(selected(request, template.view(), _ALWAYS))


async def post_template(request: web.Request, template: Template) -> web.StreamResponse:
    """Edit a template's components or category; it is reviewed again."""
    _allowed(request, template)
    data = await fields(request)
    if template.status not in _EDITABLE:
        raise GraphError(
            100,
            f"A template with status {template.status} cannot be edited.",
            message="Invalid parameter",
            subcode=2388025,
        )
    if "components" not in data and "category" not in data:
        raise missing("components")
    template = copy.copy(template)  # messages sent before keep showing what was sent
    if "category" in data:
        template.category = category_of(data)
    if "components" in data:
        template.components = components_of(data["components"], template.parameter_format)
    submit(request.app[WHATSAPP], template)
    return answer({"success": True, "id": template.id, "name": template.name, "category": template.category})


async def post_unpause(request: web.Request) -> web.StreamResponse:
    """Let a paused template be sent again."""
    whatsapp = request.app[WHATSAPP]
    template = whatsapp.templates.by_id(request.match_info["object_id"])
    if template is None:
        token_of(request)
        raise no_object(request.match_info["object_id"], request.method)
    _allowed(request, template)
    if template.status != "PAUSED":
        return answer({"success": False, "reason": "Template is not paused."})
    change_status(whatsapp, template, "APPROVED")
    return answer({"success": True})
