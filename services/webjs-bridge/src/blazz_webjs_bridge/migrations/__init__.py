"""Migrations of webjs-bridge: `pre` ones run before new code starts, `post` ones after."""
