"""The control API's paths."""

from aiohttp import web

from . import accounts, changes, faults, ledger, phones, settings, templates, web_devices, web_phones, webhooks
from .endpoint import Handler, endpoint

_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/_sim/health", settings.get_health),
    ("POST", "/_sim/reset", settings.post_reset),
    ("GET", "/_sim/ledger", ledger.get_ledger),
    ("GET", "/_sim/phones", phones.get_phones),
    ("GET", "/_sim/phones/{number}/messages", phones.get_messages),
    ("POST", "/_sim/phones/{number}/messages", phones.post_message),
    ("POST", "/_sim/phones/{number}/read", phones.post_read),
    ("POST", "/_sim/phones/{number}/messages/{id}/edit", changes.post_edit),
    ("POST", "/_sim/phones/{number}/messages/{id}/revoke", changes.post_revoke),
    ("POST", "/_sim/phones/{number}/presence", changes.post_presence),
    ("GET", "/_sim/phones/{number}/calls", changes.get_calls),
    ("POST", "/_sim/phones/{number}/calls", changes.post_call),
    ("POST", "/_sim/phones/{number}/preferences", phones.post_preference),
    ("GET", "/_sim/faults", faults.get_faults),
    ("PUT", "/_sim/faults", faults.put_faults),
    ("DELETE", "/_sim/faults", faults.delete_faults),
    ("DELETE", "/_sim/faults/{id}", faults.delete_fault),
    ("GET", "/_sim/statuses", settings.get_statuses),
    ("PUT", "/_sim/statuses", settings.put_statuses),
    ("GET", "/_sim/rules", settings.get_rules),
    ("PUT", "/_sim/rules", settings.put_rules),
    ("GET", "/_sim/webhooks", webhooks.get_webhooks),
    ("GET", "/_sim/web/devices", web_devices.get_devices),
    ("DELETE", "/_sim/web/devices/{id}", web_devices.delete_device),
    ("POST", "/_sim/web/scan", web_devices.post_scan),
    ("POST", "/_sim/web/pair", web_devices.post_pair),
    ("GET", "/_sim/web/settings", web_devices.get_settings),
    ("PUT", "/_sim/web/settings", web_devices.put_settings),
    ("GET", "/_sim/web/faults", web_devices.get_faults),
    ("PUT", "/_sim/web/faults", web_devices.put_faults),
    ("DELETE", "/_sim/web/faults", web_devices.delete_faults),
    ("GET", "/_sim/web/phones", web_phones.get_phones),
    ("GET", "/_sim/web/phones/{phone}/chats", web_phones.get_chats),
    ("POST", "/_sim/web/phones/{phone}/read", web_phones.post_read),
    ("GET", "/_sim/web/phones/{phone}/messages", web_phones.get_messages),
    ("POST", "/_sim/web/phones/{phone}/messages", web_phones.post_message),
    ("POST", "/_sim/web/phones/{phone}/messages/{id}/edit", web_phones.post_edit),
    ("POST", "/_sim/web/phones/{phone}/messages/{id}/revoke", web_phones.post_revoke),
    ("GET", "/_sim/web/groups", web_phones.get_groups),
    ("POST", "/_sim/web/groups", web_phones.post_group),
    ("GET", "/_sim/accounts", accounts.get_accounts),
    ("GET", "/_sim/accounts/{id}", accounts.get_account),
    ("PUT", "/_sim/accounts/{id}", accounts.put_account),
    ("DELETE", "/_sim/accounts/{id}", accounts.delete_account),
    ("POST", "/_sim/accounts/{id}/verify", accounts.post_verify),
    ("POST", "/_sim/accounts/{id}/events", accounts.post_event),
    ("GET", "/_sim/templates", templates.get_templates),
    ("PUT", "/_sim/templates/{id}", templates.put_template),
)


def add_control_routes(app: web.Application) -> None:
    """Put the control API on an application."""
    for method, path, handler in _ROUTES:
        app.router.add_route(method, path, endpoint(handler))
