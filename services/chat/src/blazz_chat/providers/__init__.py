"""Ways into WhatsApp. One protocol, an adapter for each provider; the message's channel chooses."""

from blazz_chat.providers.protocol import Accepted, Handed, Outcome, Outgoing, Unknown, Unreachable, WhatsAppProvider

__all__ = ["Accepted", "Handed", "Outcome", "Outgoing", "Unknown", "Unreachable", "WhatsAppProvider"]
