"""A WhatsApp Web of our own: the pages that link to a phone, and what travels between them and the customers."""
