"""Migrations of the gateway: one line of revisions, `pre` steps before new code runs, `post` steps after."""
