"""Migrations of the notifier: `pre` ones run before new code starts, `post` ones after."""
