"""The control API's paths."""

from aiohttp import web

from . import accounts, faults, ledger, phones, settings, templates, webhooks
from .endpoint import Handler, endpoint

_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/_sim/health", settings.get_health),
    ("POST", "/_sim/reset", settings.post_reset),
    ("GET", "/_sim/ledger", ledger.get_ledger),
    ("GET", "/_sim/phones", phones.get_phones),
    ("GET", "/_sim/phones/{number}/messages", phones.get_messages),
    ("POST", "/_sim/phones/{number}/messages", phones.post_message),
    ("POST", "/_sim/phones/{number}/read", phones.post_read),
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
