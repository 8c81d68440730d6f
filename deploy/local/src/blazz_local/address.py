"""Addresses of servers, with and without who logs in."""

from urllib.parse import quote, urlsplit


def with_login(url: str, user: str, password: str) -> str:
    """The same address, for this user."""
    parts = urlsplit(url)
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return parts._replace(netloc=f"{login}@{_host(parts.netloc)}").geturl()


def without_login(url: str) -> str:
    """The same address, for nobody."""
    parts = urlsplit(url)
    return parts._replace(netloc=_host(parts.netloc)).geturl()


def without_password(url: str) -> str:
    """The address as it may be printed."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    return parts._replace(netloc=f"{parts.username}:***@{_host(parts.netloc)}").geturl()


def at_path(url: str, path: str) -> str:
    """The same server, another path: a virtual host, a database."""
    return urlsplit(url)._replace(path=path).geturl()


def _host(netloc: str) -> str:
    """Host and port, as they stand there."""
    return netloc.rpartition("@")[2]
