"""Addresses of servers, with and without who logs in."""

import pytest
from blazz_local.address import at_path, with_login, without_login, without_password


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:5672", "[::1]:5672", "broker"])
def test_who_logs_in_is_put_in_and_taken_out_and_the_rest_stays(host: str) -> None:
    bare = f"amqp://{host}/vhost"
    url = with_login(bare, "chat@home", "p:a/s@s")
    assert url == f"amqp://chat%40home:p%3Aa%2Fs%40s@{host}/vhost"
    assert without_login(url) == without_login(bare) == without_password(bare) == bare
    assert without_password(url) == f"amqp://chat%40home:***@{host}/vhost"
    assert with_login(url, "a", "b") == f"amqp://a:b@{host}/vhost"
    assert at_path(url, "/other") == f"amqp://chat%40home:p%3Aa%2Fs%40s@{host}/other"
