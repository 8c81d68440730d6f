"""Migrations of campaign: `pre` ones run before new code starts, `post` ones after."""
