"""Settings from the environment."""

from blazz_notifier.settings import Settings


def test_origins_are_a_comma_separated_list(monkeypatch):
    monkeypatch.setenv("BLAZZ_NOTIFIER_ALLOWED_ORIGINS", "a.example, *.b.example")
    monkeypatch.setenv("BLAZZ_NOTIFIER_WS_PORT", "9001")
    settings = Settings()
    assert settings.notifier_allowed_origins == ["a.example", "*.b.example"]
    assert settings.notifier_ws_port == 9001


def test_the_ports_are_those_of_the_architecture():
    assert (Settings().http_port, Settings().notifier_ws_port) == (8004, 8080)
