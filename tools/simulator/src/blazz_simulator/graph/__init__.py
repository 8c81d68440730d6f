"""The Graph API as WhatsApp serves it: messages, media, templates, numbers, subscriptions."""
