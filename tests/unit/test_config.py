"""Settings: what they refuse, and what they conclude."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from app import config
from app.config import Settings, default_data_dir, parse_sender

GOOD_SECRET = "Zq3vX9" * 8


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine's reaches a test."""
    for name in list(os.environ):
        if name.startswith("TIMETODO_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("secret", ["", "short", "changeme", "PASSWORD", "x" * 31])
def test_weak_secret_is_refused(secret: str) -> None:
    """A short or well-known signing key stops the start, and the message says what to do."""
    with pytest.raises(ValidationError, match="TIMETODO_SECRET_KEY needs 32 random characters"):
        Settings(secret_key=SecretStr(secret))


def test_refusal_of_a_secret_does_not_show_it() -> None:
    """The message about a weak key does not hold the key."""
    with pytest.raises(ValidationError) as refusal:
        Settings.model_validate({"secret_key": "hunter2-hunter2"})
    assert "hunter2" not in str(refusal.value)


def test_good_secret_is_taken_and_not_shown() -> None:
    """A long key is accepted, and printing the settings does not show it."""
    settings = Settings(secret_key=SecretStr(GOOD_SECRET))
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == GOOD_SECRET
    assert GOOD_SECRET not in repr(settings)


def test_environment_sets_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """TIMETODO_ variables set fields; lists are separated by commas."""
    monkeypatch.setenv("TIMETODO_PORT", "9000")
    monkeypatch.setenv("TIMETODO_ALLOWED_ORIGINS", " https://a.example/ ,, https://b.example")
    settings = Settings()
    assert settings.port == 9000
    assert settings.allowed_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("name", "value"), [("port", 70_000), ("ws_max_rooms", 0), ("drain_s", -1), ("registration", "x")]
)
def test_impossible_value_is_refused(name: str, value: object) -> None:
    """A value out of its range stops the start."""
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate({name: value})


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (" https://board.example.org/ ", "https://board.example.org"),
        ("HTTPS://Board.Example.org:443", "https://board.example.org"),
        ("http://board.example.org:80/tasks/", "http://board.example.org/tasks"),
        ("http://board.example.org:443", "http://board.example.org:443"),
        ("https://доска.рф", "https://xn--80ahspp.xn--p1ai"),
        ("http://[2001:DB8::1]:8000", "http://[2001:db8::1]:8000"),
    ],
)
def test_public_address_is_taken_as_browsers_write_it(given: str, taken: str) -> None:
    """An origin is compared letter by letter, and the browser's is in this form."""
    assert Settings(public_url=given).base_url == taken
    if "tasks" not in given:
        assert Settings(allowed_origins=(given.strip().rstrip("/"),)).allowed_origins == (taken,)


@pytest.mark.parametrize(
    "url",
    ["", "board.example.org", "ftp://x", "https://", "https:///path", "https://a b", "https://x:port", "https://x:70000",
     "https://anna@x", "https://x/?a", "https://x/#a", "https://[::1", "https://x..y"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    """No browser could ever come from there; of the more origins only the page's own can be meant."""
    with pytest.raises(ValidationError, match="TIMETODO_PUBLIC_URL must be an address such as"):
        Settings(public_url=url)


def test_more_origins_may_be_of_applications_and_have_no_path() -> None:
    """A page in an application has a scheme of its own."""
    assert Settings(allowed_origins=("capacitor://localhost",)).allowed_origins == ("capacitor://localhost",)
    for refused in ("https://x/path", "*", "null"):
        with pytest.raises(ValidationError, match="TIMETODO_ALLOWED_ORIGINS must be an address"):
            Settings(allowed_origins=(refused,))


def test_level_of_the_log_may_be_written_small() -> None:
    """What is meant is clear."""
    assert Settings(log_level="debug").log_level == "DEBUG"


def test_own_origins_without_a_public_address_are_the_local_ones() -> None:
    """On one's own machine the page may be opened under each of its names, on this port only."""
    assert Settings(port=8001).origins == {
        "http://localhost:8001",
        "http://127.0.0.1:8001",
        "http://[::1]:8001",
    }


def test_own_origin_with_a_public_address_is_that_alone() -> None:
    """Behind a public address nothing else is trusted, whatever path the address has."""
    settings = Settings(public_url="https://board.example.org/", allowed_origins=("https://other.example",))
    assert settings.origins == {"https://board.example.org", "https://other.example"}
    assert settings.base_url == "https://board.example.org"


def test_database_is_a_file_in_the_data_directory_unless_given(tmp_path: Path) -> None:
    """Without a URL the data lies beside the secrets."""
    assert Settings(data_dir=tmp_path).resolved_database_url == f"sqlite:///{tmp_path}/timetodo.sqlite3"
    assert Settings(database_url="postgresql+asyncpg://x/y").resolved_database_url == "postgresql+asyncpg://x/y"


def test_data_directory_of_a_checkout_is_inside_it() -> None:
    """A checkout keeps its data in ./data."""
    assert default_data_dir() == config.CHECKOUT_ROOT / "data"


def test_data_directory_of_an_installation_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Installed, it goes where the user's data goes."""
    monkeypatch.setattr(config, "CHECKOUT_ROOT", tmp_path / "site-packages")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert default_data_dir() == tmp_path / "share" / "timetodo"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / ".local" / "share" / "timetodo"


MAIL = {
    "public_url": "https://board.example.org",
    "smtp_host": "mail.example.org",
    "smtp_from": "Time to DO <board@example.org>",
}


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"smtp_host": None}, "SMTP_HOST must be set with TIMETODO_SMTP_FROM; unset"),
        ({"smtp_host": "", "smtp_from": "", "smtp_password": "x"}, "SMTP_HOST must be set with TIMETODO_SMTP_PASSWORD"),
        ({"smtp_from": None}, "SMTP_FROM must be set"),
        ({"smtp_from": "board"}, "SMTP_FROM must be one address"),
        ({"smtp_from": "a@example.org, b@example.org"}, "SMTP_FROM must be one address"),
        ({"smtp_from": "Доска <доска@example.org>"}, "SMTP_FROM must be one address"),
        ({"smtp_from": "a@example.org\r\nBcc: b@example.org"}, "SMTP_FROM must be one address"),
        ({"public_url": None}, "PUBLIC_URL must be set"),
        ({"smtp_username": "board"}, "USERNAME and TIMETODO_SMTP_PASSWORD must be set both"),
        ({"smtp_password": "x"}, "USERNAME and TIMETODO_SMTP_PASSWORD must be set both"),
        ({"smtp_username": "b", "smtp_password": "x", "smtp_security": "none"}, "would send the password unencrypted"),
        ({"smtp_security": "ssl"}, "smtp_security"),
        ({"smtp_port": 0}, "smtp_port"),
    ],
)
def test_half_a_mail_server_is_refused(changes: dict[str, object], advice: str) -> None:
    """Settings of mail that do not fit together stop the start, and the message says what to set."""
    with pytest.raises(ValidationError, match=advice):
        Settings.model_validate(MAIL | changes)


def test_mail_is_off_until_a_server_is_named() -> None:
    """Empty variables are unset ones; the port is the usual one; the password is not shown."""
    assert not Settings.model_validate({"smtp_host": "", "smtp_from": "", "smtp_port": ""}).has_mail
    for security, port in {"starttls": 587, "tls": 465, "none": 25}.items():
        assert Settings.model_validate(MAIL | {"smtp_security": security}).resolved_smtp_port == port
    secret = {"smtp_username": "board", "smtp_password": "hunter2", "smtp_port": 2525}
    settings = Settings.model_validate(MAIL | secret)
    assert (settings.has_mail, settings.resolved_smtp_port) == (True, 2525)
    assert "hunter2" not in repr(settings)
    assert Settings.model_validate(MAIL | secret | {"smtp_host": "localhost", "smtp_security": "none"}).has_mail


def test_sender_may_have_a_name() -> None:
    """A name of any language goes beside the address."""
    sender = parse_sender("Доска <board@example.org>")
    assert (sender.display_name, sender.addr_spec) == ("Доска", "board@example.org")
    assert parse_sender("board@localhost").domain == "localhost"
