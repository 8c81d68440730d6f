"""Migrations of chat: `pre` ones run before new code starts, `post` ones after."""
