"""Who gets the webhooks: subscribed apps of a WABA, an app's address, an app's token."""

from __future__ import annotations

from aiohttp import web

from ..accounts import Account
from ..keys import WHATSAPP
from ..webhooks.handshake import shake_hands
from ..whatsapp import WhatsApp
from .endpoint import answer, fields, token_of, waba
from .errors import GraphError, invalid, no_object


async def set_callback(whatsapp: WhatsApp, accounts: list[Account], url: object, verify_token: object) -> None:
    """Send the webhooks of `accounts` to `url` once it has answered the handshake; an empty one stops them."""
    if url in (None, ""):
        for account in accounts:
            account.callback_url = None
            whatsapp.outbox.account_changed(account)
        return
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise invalid("Param override_callback_uri must be a valid URI.")
    failure = await shake_hands(whatsapp.outbox.client, accounts[0], url, str(verify_token or ""))
    if failure is not None:
        raise GraphError(
            2200,
            failure,
            message=f"(#2200) Callback verification failed with the following errors: {failure}",
            http=400,
        )
    for account in accounts:
        account.callback_url = url
        account.verify_token = str(verify_token or "")
        account.verified = True
        whatsapp.outbox.account_changed(account)


async def get_subscribed_apps(request: web.Request) -> web.StreamResponse:
    """List the apps that get a WABA's webhooks."""
    apps = {}
    for account in waba(request):
        if account.subscribed:
            app: dict[str, object] = {
                "whatsapp_business_api_data": {
                    "id": account.app_id,
                    "name": "Blazz",
                    "link": f"https://www.facebook.com/games/?app_id={account.app_id}",
                }
            }
            if account.callback_url:
                app["override_callback_uri"] = account.callback_url
            apps[account.app_id] = app
    return answer({"data": list(apps.values())})


async def post_subscribed_apps(request: web.Request) -> web.StreamResponse:
    """Subscribe the app; with `override_callback_uri` and `verify_token` also set the address."""
    accounts = waba(request)
    data = await fields(request)
    if "override_callback_uri" in data:
        await set_callback(request.app[WHATSAPP], accounts, data["override_callback_uri"], data.get("verify_token"))
    for account in accounts:
        account.subscribed = True
    return answer({"success": True})


async def delete_subscribed_apps(request: web.Request) -> web.StreamResponse:
    """Unsubscribe the app: no webhooks are made from now on."""
    for account in waba(request):
        account.subscribed = False
    return answer({"success": True})


async def post_subscriptions(request: web.Request) -> web.StreamResponse:
    """Set an app's webhook address; the token is the app's, `{app_id}|{app_secret}`."""
    app_id = request.match_info["object_id"]
    whatsapp = request.app[WHATSAPP]
    accounts = whatsapp.accounts.of_app(app_id)
    given = token_of(request)
    if not accounts:
        raise no_object(app_id, request.method)
    if given not in {f"{app_id}|{account.app_secret}" for account in accounts}:
        raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")
    data = {**(await fields(request)), **request.query}
    if data.get("object") != "whatsapp_business_account":
        raise invalid("Param object must be one of {WHATSAPP_BUSINESS_ACCOUNT}")
    await set_callback(whatsapp, accounts, data.get("callback_url"), data.get("verify_token"))
    return answer({"success": True})


async def get_access_token(request: web.Request) -> web.StreamResponse:
    """Return an app's own token for its id and secret."""
    client_id, secret = request.query.get("client_id", ""), request.query.get("client_secret", "")
    accounts = request.app[WHATSAPP].accounts.of_app(client_id)
    if not any(account.app_secret == secret for account in accounts):
        raise GraphError(1, "Error validating client secret.", message="Error validating client secret.", http=400)
    return answer({"access_token": f"{client_id}|{secret}", "token_type": "bearer"})
