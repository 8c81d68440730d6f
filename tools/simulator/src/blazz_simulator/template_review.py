"""Meta's review of templates, and the webhooks that tell of it."""

from __future__ import annotations

import asyncio
import time

from .templates import Status, Template
from .webhooks.update import AccountUpdate
from .whatsapp import WhatsApp


def submit(whatsapp: WhatsApp, template: Template) -> None:
    """Take a new or edited template; it is approved after the time of the settings."""
    template.status = "PENDING"
    whatsapp.templates.add(template)
    whatsapp.spawn(_approve(whatsapp, template))


async def _approve(whatsapp: WhatsApp, template: Template) -> None:
    await asyncio.sleep(whatsapp.settings.template_review_seconds)
    if template.status == "PENDING" and whatsapp.templates.by_id(template.id) is template:
        change_status(whatsapp, template, "APPROVED")


def change_status(whatsapp: WhatsApp, template: Template, status: Status, reason: str = "NONE") -> None:
    """Change a template's status and tell `message_template_status_update`."""
    template.status = status
    template.rejected_reason = reason if status == "REJECTED" else "NONE"
    value = _named(template) | {
        "event": status,
        "reason": reason,
        "message_template_category": template.category,
    }
    whatsapp.outbox.tell_waba(template.waba_id, AccountUpdate("message_template_status_update", value, time.time()))


def change_quality(whatsapp: WhatsApp, template: Template, quality: str) -> None:
    """Change a template's quality and tell `message_template_quality_update`."""
    value = _named(template) | {"previous_quality_score": template.quality, "new_quality_score": quality}
    template.quality = quality
    whatsapp.outbox.tell_waba(template.waba_id, AccountUpdate("message_template_quality_update", value, time.time()))


def _named(template: Template) -> dict[str, object]:
    return {
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
    }
