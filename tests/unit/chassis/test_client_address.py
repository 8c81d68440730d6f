"""Limits by address count what a client cannot choose."""

import pytest
from blazz_chassis import client_address


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("10.0.0.1", [], 0, "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], 0, "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], 1, "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4"], 1, "1.2.3.4"),
        # The client's own line first, the proxy's second.
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4"], 1, "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4, 5.6.7.8"], 2, "1.2.3.4"),
        ("10.0.0.1", ["1.2.3.4"], 2, "10.0.0.1"),
        ("10.0.0.1", [], 1, "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4:5678"], 1, "1.2.3.4"),
        ("10.0.0.1", ["[2001:db8:1:2:3::4]:5678"], 1, "2001:db8:1:2::/64"),
        ("10.0.0.1", ["2001:db8:1:2:9::"], 1, "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7", [], 0, "2001:db8:1:2::/64"),
        ("fe80::1%eth0", [], 0, "fe80::/64"),
        ("::ffff:1.2.3.4", [], 0, "1.2.3.4"),
        ("10.0.0.1", ["unknown"], 1, "10.0.0.1"),
        ("10.0.0.1", ["x" * 10_000], 1, "10.0.0.1"),
        (None, [], 1, "unknown"),
    ],
)
def test_the_client_is_who_the_last_trusted_proxy_saw(
    peer: str | None, forwarded: list[str], proxies: int, expected: str
) -> None:
    assert client_address.of(peer, forwarded, proxies=proxies) == expected
