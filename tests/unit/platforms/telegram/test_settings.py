"""The settings of [platforms.telegram] and the secrets that belong to them."""

import pytest

from bot.domain.errors import ConfigError
from bot.domain.messages import Place
from bot.platforms import platform_modules
from bot.platforms.telegram import PLATFORM, Config, Mode

TOKEN = {"TELEGRAM_BOT_TOKEN": "123456:secret-token"}
SECRETS = TOKEN | {"TELEGRAM_WEBHOOK_SECRET": "hook-secret"}


def mistakes(table: dict[str, object], environment: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        PLATFORM.parse(table, SECRETS if environment is None else environment)
    return caught.value.mistakes


def test_telegram_is_found_by_its_folder() -> None:
    assert "telegram" in platform_modules()


def test_an_empty_table_polls_telegrams_own_address() -> None:
    config = PLATFORM.parse({}, TOKEN)
    assert config == Config("123456:secret-token")
    assert (config.mode, config.api_base_url) == (Mode.POLLING, "https://api.telegram.org/bot")
    assert config.file_base_url == "https://api.telegram.org/file/bot"


def test_leads_are_numbers_in_the_file_and_text_inside() -> None:
    assert PLATFORM.parse({"leads": [111222333, 7]}, TOKEN).leads == {"111222333", "7"}


def test_the_word_admins_stands_for_the_administrators_of_the_cards_group() -> None:
    assert PLATFORM.parse({"leads": ["admins", 7]}, TOKEN).leads == {"admins", "7"}
    assert (PLATFORM.lead("admins"), PLATFORM.lead(7)) == ("admins", "7")


@pytest.mark.parametrize("written", ["@ann", "7", True, -5, 1.5, None, ["admins"]])
def test_a_lead_that_is_no_id_is_refused_saying_how_one_is_written(written: object) -> None:
    with pytest.raises(ValueError, match=r'numeric ids without quotes, like 111222333, or "admins"'):
        PLATFORM.lead(written)


def test_nothing_has_to_be_handed_to_telegram_to_install_a_bot() -> None:
    assert PLATFORM.install() == {}


def test_the_environment_overrides_both_addresses() -> None:
    environment = TOKEN | {
        "TELEGRAM_API_BASE_URL": "http://127.0.0.1:8181/bot/",
        "TELEGRAM_FILE_BASE_URL": "http://127.0.0.1:8181/file/bot",
    }
    config = PLATFORM.parse({"api_base_url": "https://api.example.com/bot"}, environment)
    assert config.api_base_url == "http://127.0.0.1:8181/bot"
    assert config.file_base_url == "http://127.0.0.1:8181/file/bot"
    assert PLATFORM.parse({}, TOKEN | {"TELEGRAM_API_BASE_URL": ""}).api_base_url == "https://api.telegram.org/bot"


@pytest.mark.parametrize(
    ("written", "hook"),
    [
        ("https://bot.example.com", "https://bot.example.com/telegram/webhook"),
        ("https://bot.example.com/", "https://bot.example.com/telegram/webhook"),
        ("https://example.com/behind/a/proxy", "https://example.com/behind/a/proxy"),
    ],
)
def test_a_webhook_has_a_public_address_and_a_secret(written: str, hook: str) -> None:
    config = PLATFORM.parse({"mode": "webhook", "webhook_url": written}, SECRETS)
    assert (config.mode, config.webhook_url, config.webhook_secret) == (Mode.WEBHOOK, hook, "hook-secret")


def test_polling_needs_neither_and_keeps_none() -> None:
    config = PLATFORM.parse({"webhook_url": "https://bot.example.com"}, SECRETS)
    assert (config.webhook_url, config.webhook_secret) == ("", "")


def test_every_mistake_is_named_at_once() -> None:
    found = mistakes(
        {
            "mode": "webhook",
            "api_base_url": "api.telegram.org",
            "file_base_url": "https://api.telegram.org/file",
            "leads": ["@ann", True, -5, 7],
            "webhook_url": "bot.example.com",
            "lead": [],
        },
        {"TELEGRAM_WEBHOOK_SECRET": "no spaces"},
    )
    assert [mistake.split(":")[0] for mistake in found] == [
        "platforms.telegram.lead",
        "platforms.telegram.api_base_url (or TELEGRAM_API_BASE_URL)",
        "platforms.telegram.file_base_url (or TELEGRAM_FILE_BASE_URL)",
        "platforms.telegram.leads",
        "platforms.telegram.leads",
        "platforms.telegram.leads",
        "platforms.telegram",
        "platforms.telegram",
        "platforms.telegram.webhook_url",
    ]
    assert "TELEGRAM_BOT_TOKEN is not set" in found[6]
    assert "TELEGRAM_WEBHOOK_SECRET holds something else" in found[7]


def test_a_strange_mode_names_the_choices() -> None:
    [mistake] = mistakes({"mode": "pigeon"})
    assert mistake == 'platforms.telegram.mode: \'pigeon\' is no mode; write "polling" or "webhook"'


@pytest.mark.parametrize("leads", [111, "111", {"a": 1}, ["111"], [1.5], [None]])
def test_leads_that_are_no_list_of_ids_are_refused(leads: object) -> None:
    assert all(mistake.startswith("platforms.telegram.leads:") for mistake in mistakes({"leads": leads}))


@pytest.mark.parametrize("secret", ["ü", "x" * 257, "with space", "semi;colon"])
def test_a_secret_that_telegram_would_refuse_is_refused_before(secret: str) -> None:
    table: dict[str, object] = {"mode": "webhook", "webhook_url": "https://bot.example.com"}
    [mistake] = mistakes(table, TOKEN | {"TELEGRAM_WEBHOOK_SECRET": secret})
    assert secret not in mistake


def test_secrets_never_show() -> None:
    config = PLATFORM.parse({"mode": "webhook", "webhook_url": "https://bot.example.com"}, SECRETS)
    shown = f"{config!r} {config}" + " ".join(mistakes({"mode": "pigeon"}, {"TELEGRAM_BOT_TOKEN": "hook-secret"}))
    assert "secret" not in shown.replace("webhook_secret", "")


@pytest.mark.parametrize(
    ("written", "normal"),
    [("❤", "❤"), ("❤\ufe0f", "❤"), ("❤\ufe0f\u200d🔥", "❤\u200d🔥"), ("❤\u200d🔥", "❤\u200d🔥"), (" 🤝 ", "🤝")],
)
def test_an_emoji_is_one_emoji_with_or_without_its_variation_selector(written: str, normal: str) -> None:
    assert PLATFORM.emoji(written) == normal
    assert PLATFORM.emoji(normal) == normal


@pytest.mark.parametrize("written", ["✅", "💰", "moneybag", "", "👍🏽", "👍👎"])
def test_an_emoji_that_is_no_reaction_in_telegram_is_refused_naming_some_that_are(written: str) -> None:
    with pytest.raises(ValueError, match=r"no reaction in Telegram; choose from .*👍 👎 ❤"):
        PLATFORM.emoji(written)


@pytest.mark.parametrize(
    ("written", "chat"),
    [
        ("-1001234567890", "-1001234567890"),
        ("-1001234567890/45", "-1001234567890/45"),
        ("-1001234567890/1", "-1001234567890"),
        ("-4321", "-4321"),
    ],
)
def test_a_room_is_a_group_or_a_topic_in_it(written: str, chat: str) -> None:
    assert PLATFORM.place(written) == Place("telegram", chat)


@pytest.mark.parametrize("written", ["1001234567890", "@billing", "-100/x", "-100/45/2", "", "-"])
def test_what_is_no_group_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="like -1001234567890"):
        PLATFORM.place(written)
