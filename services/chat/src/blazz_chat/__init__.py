"""Contacts, conversations, messages, media and channels; sends through providers."""
