"""Business phone numbers and WABAs: what they tell about themselves, and the little that can be changed."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..accounts import Account
from ..keys import WHATSAPP
from .checks.shape import an_object, known_keys
from .endpoint import answer, fields, phone_number, waba
from .errors import bad_value, invalid, missing
from .selection import page, selected
from .subscriptions import set_callback

_ALWAYS = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
)
_PROFILE = frozenset(
    {
        "about",
        "address",
        "description",
        "email",
        "profile_picture_url",
        "profile_picture_handle",
        "websites",
        "vertical",
    }
)


def number_node(account: Account) -> dict[str, Any]:
    """Return everything a business number tells about itself."""
    return {
        "id": account.phone_number_id,
        "verified_name": account.verified_name,
        "code_verification_status": "VERIFIED",
        "display_phone_number": f"+{account.display_phone_number}",
        "quality_rating": account.quality_rating,
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "webhook_configuration": {"application": account.callback_url} if account.callback_url else {},
        "status": "CONNECTED",
        "name_status": "APPROVED",
        "messaging_limit_tier": account.messaging_limit_tier,
        "account_mode": "SANDBOX",
        "is_official_business_account": False,
        "is_pin_enabled": True,
        "is_on_biz_app": False,
    }


async def get_number(request: web.Request, account: Account) -> web.StreamResponse:
    """Return a number's fields: those asked for, or Meta's default ones."""
    return answer(selected(request, number_node(account), _ALWAYS))


async def post_number(request: web.Request, account: Account) -> web.StreamResponse:
    """Set `webhook_configuration: {override_callback_uri, verify_token}`."""
    configuration = an_object((await fields(request)).get("webhook_configuration"), "webhook_configuration")
    url = configuration.get("override_callback_uri")
    await set_callback(request.app[WHATSAPP], [account], url, configuration.get("verify_token"))
    return answer({"success": True})


async def get_waba(request: web.Request, numbers: list[Account]) -> web.StreamResponse:
    """Return a WABA's own fields."""
    first = numbers[0]
    node = {
        "id": first.waba_id,
        "name": first.verified_name,
        "timezone_id": "1",
        "message_template_namespace": f"sim_{first.waba_id}",
        "account_review_status": "APPROVED",
        "business_verification_status": "verified",
        "currency": "USD",
    }
    return answer(selected(request, node, ("name", "timezone_id", "message_template_namespace")))


async def get_numbers(request: web.Request) -> web.StreamResponse:
    """List a WABA's numbers."""
    nodes = [selected(request, number_node(account), _ALWAYS) for account in waba(request)]
    return answer(page(request, nodes))


async def get_profile(request: web.Request) -> web.StreamResponse:
    """Return the business profile."""
    profile = {"messaging_product": "whatsapp", **phone_number(request).profile}
    return answer({"data": [selected(request, profile, tuple(profile), with_id=False)]})


async def post_profile(request: web.Request) -> web.StreamResponse:
    """Change the business profile's named fields."""
    account = phone_number(request)
    data = await fields(request)
    if data.pop("messaging_product", None) != "whatsapp":
        raise invalid("Param messaging_product must be one of {WHATSAPP}")
    known_keys(data, _PROFILE, "whatsapp_business_profile")
    about = data.get("about")
    if about is not None and not (isinstance(about, str) and 1 <= len(about) <= 139):
        raise bad_value("about must be 1 to 139 characters.")
    account.profile = account.profile | data
    return answer({"success": True})


async def post_register(request: web.Request) -> web.StreamResponse:
    """Register a number with its six-digit pin. It is registered already; the call only has to be right."""
    phone_number(request)
    data = await fields(request)
    if data.get("messaging_product") != "whatsapp":
        raise invalid("Param messaging_product must be one of {WHATSAPP}")
    pin = data.get("pin")
    if pin is None:
        raise missing("pin")
    if not (str(pin).isdigit() and len(str(pin)) == 6):
        raise bad_value("pin must be six digits.")
    return answer({"success": True})
