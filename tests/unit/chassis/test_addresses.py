"""Addresses that customers give: what leads inside, what is not there, and what cannot be asked right now."""

import socket
from typing import Any

import pytest
from blazz_chassis import addresses
from blazz_chassis.addresses import AddressRefused, HostNotFound, HostNotResolved, check_outside, is_public
from blazz_chassis.errors import DependencyDown


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)  # fmt: skip
def test_inside_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_outside_addresses_are_public() -> None:
    assert is_public("8.8.8.8")
    assert is_public("2606:4700:4700::1111")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost:8000/", "http://2130706433/", "http://[::1]/", "http://0x7f.1/",
        "ftp://8.8.8.8/", "http:///x", "http://user:pw@8.8.8.8/", "file:///etc/passwd", "http://8.8.8.8:99999/",
    ],
)  # fmt: skip
async def test_addresses_that_lead_inside_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused) as raised:
        await check_outside(url, field="url")
    assert raised.value.field == "url"


async def test_public_addresses_pass_and_local_ones_where_allowed() -> None:
    await check_outside("https://8.8.8.8/hook?x=1")
    await check_outside("http://127.0.0.1:9/", local_allowed=True)


async def test_a_name_that_turns_inside_after_the_check_gets_nowhere() -> None:
    async with addresses.outside_client(timeout=2) as client:
        with pytest.raises(Exception, match=r"no public address|Cannot connect|localhost"):
            await client.get("http://localhost:9/")


def names_answer(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let every look-up of a name end so."""

    def asked(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", asked)


@pytest.mark.parametrize("local_allowed", [False, True])
async def test_a_host_that_does_not_exist_is_said_to_be_not_there(
    monkeypatch: pytest.MonkeyPatch, local_allowed: bool
) -> None:
    names_answer(monkeypatch, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    with pytest.raises(HostNotFound, match=r"nowhere\.example cannot be found") as raised:
        await check_outside("https://nowhere.example/x.png", field="link", local_allowed=local_allowed)
    assert (raised.value.status, raised.value.code, raised.value.field) == (422, "host_not_found", "link")


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        socket.gaierror(socket.EAI_SYSTEM, "System error"),
        TimeoutError(),
        OSError(24, "Too many open files"),
    ],
    ids=["again", "system", "timeout", "files"],
)
async def test_a_look_up_that_fails_for_now_says_nothing_of_the_address(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    names_answer(monkeypatch, error)
    with pytest.raises(HostNotResolved) as raised:
        await check_outside("https://files.example/x.png")
    assert (raised.value.status, raised.value.code) == (503, "host_not_resolved")
    # One customer's name server must not stop what all share.
    assert not isinstance(raised.value, DependencyDown | AddressRefused)
