"""Whose connection it is, for limits by address: the peer's, or what the last trusted proxy saw."""

import ipaddress
from collections.abc import Sequence

_IPV6_PREFIX = 64
"""Bits that an IPv6 client cannot choose: a subscriber gets at least that network (RFC 6177), and any address in it."""


def of(peer: str | None, forwarded: Sequence[str], *, proxies: int) -> str:
    """The client's IPv4 address, or its IPv6 network.

    `forwarded` are all lines of `X-Forwarded-For`; `proxies` how many in front of us append to it, 0 when it is to be
    ignored. Each appends who connected to it, some in a line of its own: what stands further left the client may have
    made up. What is no address there is not believed.
    """
    own = counted(peer or "") or peer or "unknown"
    if not proxies:
        return own
    seen = [each.strip() for each in ",".join(forwarded).split(",") if each.strip()]
    return (counted(seen[-proxies]) if len(seen) >= proxies else None) or own


def counted(text: str) -> str | None:
    """What an address (with a port perhaps) is counted as; None when it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
        address = address.ipv4_mapped
    return str(address)
