"""What is one site, and where its stored versions are."""

from pathlib import Path

import pytest
from blazz_webjs_bridge.page.errors import BrowserFailed
from blazz_webjs_bridge.page.gate import origin, stored_copy


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://web.whatsapp.com/", "https://web.whatsapp.com"),
        ("https://web.whatsapp.com:443/x?y#z", "https://web.whatsapp.com"),
        ("http://127.0.0.1:8090/web/", "http://127.0.0.1:8090"),
        ("HTTPS://Web.WhatsApp.com", "https://web.whatsapp.com"),
    ],
)
def test_an_origin_is_as_the_browser_says_it(address: str, expected: str) -> None:
    assert origin(address) == expected


def test_a_stored_version_is_a_file_of_the_folder_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "2.3000.1.html").write_text("<html>")
    (tmp_path / "secret.html").write_text("no")
    assert stored_copy("2.3000.1", tmp_path / "versions") == b"<html>"
    for version in ("2.3000.2", "../secret", ""):
        with pytest.raises(BrowserFailed):
            stored_copy(version, tmp_path / "versions")
    with pytest.raises(BrowserFailed, match="no folder"):
        stored_copy("2.3000.1", None)
