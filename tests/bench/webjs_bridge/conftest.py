"""The pages of the integration tests, measured."""

from tests.integration.webjs_bridge.page.conftest import (  # noqa: F401
    chromium,
    open_page,
    playwright,
    sim,
)
