"""The services, by the names that their users, queues and databases carry."""

SERVICES: tuple[str, ...] = ("gateway", "chat", "campaign", "webjs-bridge", "notifier")
