"""Webhooks: what is told to the business, when, signed, and told again until it is heard."""
