"""The same gateway as the integration tests', attacked."""

from tests.integration.gateway.conftest import make_world, world

__all__ = ["make_world", "world"]
