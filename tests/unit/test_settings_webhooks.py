"""`[webhooks.NAME]`: the address, the events, and a secret that is in no file and in no message."""

from pathlib import Path

import pytest

from bot.domain.webhooks import EventKind
from bot.settings import load
from tests.unit.test_settings import GOOD, mistakes, write

SECRET = "0123456789abcdefghij"
GOOD_HOOK = 'url = "https://example.com/hook?token=t0k"\nevents = ["decided"]\nenvironment = "HOOK_SECRET"'


def with_hook(lines: str) -> str:
    return f"{GOOD}\n[webhooks.helpdesk]\n{lines}\n"


def test_without_webhooks_nobody_is_told(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD), {}).webhooks == ()


def test_a_webhook_is_told_no_words_unless_it_says_so_and_its_secret_is_not_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n", "utf-8")
    for environment in ({"HOOK_SECRET": SECRET}, {"HOOK_SECRET_FILE": str(secret)}):
        [hook] = load(write(tmp_path, with_hook(GOOD_HOOK)), environment).webhooks
        assert (hook.events, hook.secret, hook.texts) == (frozenset({EventKind.DECIDED}), SECRET, False)
        assert SECRET not in repr(hook) and "t0k" not in repr(hook)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/x", "http://localhost/x", "http://[::1]/", "https://a.example"])
def test_an_address_is_https_or_on_this_machine(tmp_path: Path, url: str) -> None:
    lines = GOOD_HOOK.replace("https://example.com/hook?token=t0k", url)
    assert load(write(tmp_path, with_hook(lines)), {"HOOK_SECRET": SECRET}).webhooks[0].url == url


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("https://example.com/hook?token=t0k", "http://example.com/t0k", "url: write https:// instead"),
        ("https://example.com/hook?token=t0k", "http://127.0.0.1.example.com/", "url: write https:// instead"),
        ("https://example.com/hook?token=t0k", "https://me:t0k@example.com/", "url: has a user in it"),
        ("https://example.com/hook?token=t0k", "example.com/t0k", "url: write the receiver's address, https://…"),
        ("https://example.com/hook?token=t0k", "https://[t0k", "url: is no address"),
        ("https://example.com/hook?token=t0k", "https://example.com:t0k/", "url: is no address"),
        ('"decided"', '"opened"', "events: 'opened' is no event; choose from closed, corrected, decided"),
        ('"decided"', '"test"', "events: 'test' is no event"),
        ('"decided"', "", "events: missing; say what it is told of"),
        ('"HOOK_SECRET"', '"NOT_SET"', "environment: NOT_SET (or the file that NOT_SET_FILE names) is not set"),
        ('"HOOK_SECRET"', '"whsec_t0k"', "environment: write the variable that holds the secret"),
        ('"HOOK_SECRET"', '"HOOK_SECRET"\nretries = 3', "retries: unknown; keys here are environment, events"),
        ('"HOOK_SECRET"', '"HOOK_SECRET"\ntexts = "no"', "texts: write true or false"),
    ],
)
def test_a_mistake_says_what_to_write_and_repeats_no_secret(tmp_path: Path, before: str, after: str, said: str) -> None:
    text = with_hook(GOOD_HOOK.replace(before, after))
    told = mistakes(tmp_path, text, {"HOOK_SECRET": SECRET})
    assert f"webhooks.helpdesk.{said}" in told
    assert "t0k" not in told and SECRET not in told


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    text = with_hook(GOOD_HOOK) + f"[webhooks.helpdesk]\n{GOOD_HOOK}\n"
    assert "Cannot declare ('webhooks', 'helpdesk') twice" in mistakes(tmp_path, text)
