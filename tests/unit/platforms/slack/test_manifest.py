"""The manifest that Slack is given."""

import pytest

from bot.platforms.slack import PLATFORM
from bot.platforms.slack.interactions import ROUTE_SHORTCUT
from bot.platforms.slack.manifest import EVENTS, SCOPES, manifest, written

yaml = pytest.importorskip("yaml")


@pytest.mark.parametrize("url", ["", "https://bot.example.com/slack/events"])
def test_the_file_says_what_the_manifest_is(url: str) -> None:
    assert yaml.safe_load(written(url)) == manifest(url)


def test_socket_mode_has_no_addresses_and_http_has_one_everywhere() -> None:
    socket, http = written(), written("https://bot.example.com/slack/events")
    assert "url:" not in socket and "socket_mode_enabled: true" in socket
    assert http.count("https://bot.example.com/slack/events") == 3 and "socket_mode_enabled: false" in http


def test_what_is_installed_fits_how_slack_reaches_us() -> None:
    assert PLATFORM.install() == {"slack-manifest.yaml": written()}
    assert PLATFORM.install("https://bot.example.com/") == {
        "slack-manifest.yaml": written("https://bot.example.com/slack/events")
    }


def test_every_scope_and_event_is_named_once_and_the_shortcut_is_the_one_we_hear() -> None:
    text = written()
    assert all(text.count(f"- {name}\n") + text.count(f"- {name} ") == 1 for name in (*SCOPES, *EVENTS))
    assert f"callback_id: {ROUTE_SHORTCUT}" in text
