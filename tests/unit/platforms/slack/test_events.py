"""Slack's payloads as facts."""

from datetime import UTC, datetime

import pytest

from bot.domain.messages import Message, MessageRef, Person, Place, Press, Reaction
from bot.platforms.slack.events import Ears, normal, read, readable

BOT, ANN, LEAD = "U0BOT", "U0ANN", "U0LEAD"
HELP, LOUNGE, BILLING, DIRECT = "C0HELP", "C0LOUNGE", "C0BILLING", "D0ANN"
TS, ROOT = "1764000000.000100", "1763999999.000200"
AT = datetime.fromtimestamp(1764000000, UTC).replace(microsecond=100)
EARS = Ears(BOT, frozenset({HELP, BILLING}), frozenset({BILLING}))

Fields = dict[str, object]


def event(kind: str = "message", /, **fields: object) -> Fields:
    said: Fields = {"type": kind, "user": ANN, "channel": HELP, "channel_type": "channel", "text": "help me", "ts": TS}
    return {"type": "event_callback", "event": said | fields}


def heard(kind: str = "message", /, **fields: object) -> Message | None:
    happened = read(event(kind, **fields), EARS)
    assert happened is None or isinstance(happened, Message)
    return happened


def test_a_message_in_an_intake_channel_opens_a_thread_of_its_own() -> None:
    assert heard() == Message(
        ref=MessageRef("slack", HELP, TS),
        place=Place("slack", HELP, TS),
        author=Person("slack", ANN),
        text="help me",
        at=AT,
    )


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("message", {"channel": DIRECT, "channel_type": "im"}),
        ("app_mention", {"channel": LOUNGE}),
        ("app_mention", {"channel": HELP}),
        ("message", {"subtype": "file_share", "files": [{"id": "F1"}]}),
        ("message", {"subtype": "thread_broadcast", "thread_ts": ROOT}),
        ("message", {"subtype": "me_message"}),
    ],
)
def test_what_is_said_to_us_is_heard(kind: str, fields: Fields) -> None:
    message = heard(kind, **fields)
    assert message is not None
    assert (message.text, message.author.id) == ("help me", ANN)


@pytest.mark.parametrize(
    "fields",
    [
        {"channel": LOUNGE},
        {"channel": LOUNGE, "thread_ts": ROOT},
        {"channel": LOUNGE, "text": f"<@{BOT}> help, whose app_mention comes as well"},
        {"channel": "G0GROUP", "channel_type": "mpim"},
        {"channel": BILLING},
        {"channel": BILLING, "thread_ts": ROOT},
    ],
)
def test_what_people_say_among_themselves_is_not_a_request(fields: Fields) -> None:
    assert heard(**fields) is None


def test_a_mention_in_a_teams_channel_is_between_colleagues() -> None:
    assert heard("app_mention", channel=BILLING) is None


@pytest.mark.parametrize(
    "subtype",
    "message_changed message_deleted message_replied tombstone channel_join channel_leave channel_topic "
    "channel_purpose channel_name channel_archive channel_unarchive channel_posting_permissions group_join bot_add "
    "bot_remove bot_message pinned_item reminder_add assistant_app_thread huddle_thread document_mention".split(),
)
def test_edits_deletions_and_housekeeping_are_no_messages(subtype: str) -> None:
    assert heard(subtype=subtype) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"user": BOT},
        {"bot_id": "B0OTHER"},
        {"bot_id": "B0OTHER", "user": None},
        {"user": "USLACKBOT"},
        {"user": None},
        {"hidden": True},
    ],
)
@pytest.mark.parametrize("kind", ["message", "app_mention"])
def test_bots_are_never_answered(kind: str, fields: Fields) -> None:
    assert heard(kind, **fields) is None


@pytest.mark.parametrize("where", [{}, {"channel": DIRECT, "channel_type": "im"}])
def test_a_reply_joins_the_conversation_of_its_thread(where: Fields) -> None:
    message = heard(thread_ts=ROOT, **where)
    assert message is not None
    assert (message.place.thread, message.ref.id) == (ROOT, TS)


def test_the_mention_and_the_message_event_of_one_post_are_the_same_fact() -> None:
    assert heard("message", text=f"<@{BOT}> help") == heard("app_mention", text=f"<@{BOT}> help")


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "event_callback"},
        {"type": "event_callback", "event": "nonsense"},
        event(ts="soon"),
        event(ts=None),
        event(ts=1764000000.0001),
        event(channel=None),
        event(subtype={"a": 1}),
        event("channel_rename"),
        {"type": "app_rate_limited", "minute_rate_limited": 1},
        {"type": "shortcut", "callback_id": "x"},
        {"type": "block_actions", "actions": "nonsense"},
        {"type": "block_actions", "actions": [], "user": [], "container": 3},
    ],
)
def test_a_strange_payload_is_nothing_and_no_error(payload: Fields) -> None:
    assert read(payload, EARS) is None


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (f"<@{BOT}> I was charged twice", "I was charged twice"),
        (f"<@{BOT}|switchboard>: I was charged twice", "I was charged twice"),
        (f"hey <@{BOT}>, are you there", "hey are you there"),
        ("ask <@U0BEN> or <@U0BEN|ben>", "ask @someone or @ben"),
        ("<!here> <!channel> <!everyone|everyone>", "@here @channel everyone"),
        ("<!subteam^S0LEADS|@leads> and <!subteam^S0LEADS>", "@leads and @subteam"),
        ("<!date^1764000000^{date}|Nov 24>", "Nov 24"),
        ("in <#C0HELP|help> or <#C0HELP> or <#C0HELP|>", "in #help or #channel or #channel"),
        ("see <https://example.com/a?b=1&amp;c=2>", "see https://example.com/a?b=1&c=2"),
        ("see <https://example.com|the page>", "see the page"),
        ("<mailto:ann@example.com|ann@example.com> <tel:+123>", "ann@example.com +123"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("I typed &amp;lt;b&amp;gt;", "I typed &lt;b&gt;"),
        ("<|> <> < a", "<> < a"),
        ("two\nlines", "two\nlines"),
        ("", ""),
    ],
)
def test_slacks_notation_becomes_plain_words(written: str, read_as: str) -> None:
    assert readable(written, BOT) == read_as


# ── reactions ──


def reaction(kind: str = "reaction_added", /, **fields: object) -> Fields:
    seen: Fields = {
        "type": kind,
        "user": LEAD,
        "reaction": "moneybag",
        "item": {"type": "message", "channel": BILLING, "ts": ROOT},
        "item_user": BOT,
        "event_ts": TS,
    }
    return {"type": "event_callback", "event": seen | fields}


@pytest.mark.parametrize(("kind", "added"), [("reaction_added", True), ("reaction_removed", False)])
def test_a_reaction_points_at_the_message_it_is_on(kind: str, added: bool) -> None:
    assert read(reaction(kind), EARS) == Reaction(
        MessageRef("slack", BILLING, ROOT), Person("slack", LEAD), "moneybag", added, AT
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"user": BOT},
        {"user": None},
        {"item": {"type": "file", "file": "F1"}},
        {"item": {"type": "message", "channel": BILLING}},
        {"item": None},
        {"reaction": ""},
        {"event_ts": None},
    ],
)
def test_other_reactions_are_ignored(fields: Fields) -> None:
    assert read(reaction(**fields), EARS) is None


@pytest.mark.parametrize(
    "written",
    [
        "+1",
        "thumbsup",
        ":thumbsup:",
        ":+1::skin-tone-3:",
        "thumbsup::skin-tone-6",
        "+1::skin-tone-2",
        " :+1: ",
        "THUMBSUP",
    ],
)
def test_every_way_to_write_an_emoji_is_one_emoji_in_settings_and_events(written: str) -> None:
    happened = read(reaction(reaction=written), EARS)
    assert isinstance(happened, Reaction)
    assert happened.emoji == normal(written) == "+1"


@pytest.mark.parametrize("written", ["moneybag", "party_parrot", "e-mail", "счёт", "ありがとう", "-1", "8ball"])
def test_custom_and_ordinary_names_stay_what_they_are(written: str) -> None:
    assert normal(written) == written


@pytest.mark.parametrize("written", ["", "::", "💰", "❤️", "1️⃣", "two words", "a:b", "x" * 101])
def test_what_is_no_short_name_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="moneybag"):
        normal(written)


# ── presses ──


def press(**fields: object) -> Fields:
    return {
        "type": "block_actions",
        "user": {"id": ANN},
        "container": {"type": "message", "message_ts": ROOT, "channel_id": HELP},
        "actions": [{"action_id": "choose_1", "value": "1", "type": "button", "action_ts": TS}],
    } | fields


def test_a_press_carries_the_buttons_value() -> None:
    assert read(press(), EARS) == Press(MessageRef("slack", HELP, ROOT), Person("slack", ANN), "1", AT)


@pytest.mark.parametrize(
    "fields",
    [
        {"actions": [{"action_id": "open_link", "value": "1", "action_ts": TS}]},
        {"actions": []},
        {"container": {"type": "view", "view_id": "V1"}},
        {"user": {}},
    ],
)
def test_other_interactions_are_ignored(fields: Fields) -> None:
    assert read(press(**fields), EARS) is None
