"""Slack's payloads as facts."""

from datetime import UTC, datetime

import pytest

from bot.domain.messages import Deletion, Edit, Media, MediaKind, Message, MessageRef, Note, Person, Place, Reaction
from bot.platforms.slack.emoji import normal
from bot.platforms.slack.events import (
    BotIdentity,
    HomeOpened,
    MentionedByEdit,
    NewEmoji,
    Regrouped,
    Renamed,
    Reshared,
    Revoked,
    RouteRequest,
    SpokenToInARoom,
    ThreadReply,
    read,
)

BOT, ANN, LEAD = "U0BOT", "U0ANN", "U0LEAD"
HELP, LOUNGE, BILLING, DIRECT = "C0HELP", "C0LOUNGE", "C0BILLING", "D0ANN"
TS, ROOT = "1764000000.000100", "1763999999.000200"
AT = datetime.fromtimestamp(1764000000, UTC).replace(microsecond=100)
EARS = BotIdentity(BOT, frozenset({HELP, BILLING}), frozenset({BILLING}), "T0TEAM")

Fields = dict[str, object]


def event(kind: str = "message", /, **fields: object) -> Fields:
    said: Fields = {"type": kind, "user": ANN, "channel": HELP, "channel_type": "channel", "text": "help me", "ts": TS}
    return {"type": "event_callback", "event": said | fields}


def heard(kind: str = "message", /, **fields: object) -> Message | None:
    happened = read(event(kind, **fields), EARS)
    if isinstance(happened, ThreadReply) and happened.addressed:
        return happened.message
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
        {"channel": LOUNGE, "text": f"<@{BOT}> help, whose app_mention comes as well"},
        {"channel": "G0GROUP", "channel_type": "mpim"},
        {"channel": BILLING},
    ],
)
def test_what_people_say_among_themselves_is_not_a_request(fields: Fields) -> None:
    assert heard(**fields) is None


def test_a_mention_in_a_teams_channel_is_between_colleagues() -> None:
    assert heard("message", channel=BILLING, text=f"<@{BOT}> help") is None
    told = read(event("app_mention", channel=BILLING), EARS)
    assert isinstance(told, SpokenToInARoom)
    assert told.message.author.id == ANN


@pytest.mark.parametrize(
    "subtype",
    "message_replied tombstone channel_join channel_leave channel_topic "
    "channel_purpose channel_name channel_archive channel_unarchive channel_posting_permissions group_join bot_add "
    "bot_remove bot_message pinned_item reminder_add assistant_app_thread huddle_thread document_mention".split(),
)
def test_housekeeping_is_no_message(subtype: str) -> None:
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


def test_a_reply_in_another_channels_thread_is_heard_only_if_the_thread_is_a_conversations() -> None:
    aside = read(event(channel=LOUNGE, thread_ts=ROOT), EARS)
    assert isinstance(aside, ThreadReply)
    assert aside.root == MessageRef("slack", LOUNGE, ROOT)
    assert (aside.message.text, aside.message.place.thread) == ("help me", ROOT)
    assert (aside.addressed, aside.ours) == (False, False)


@pytest.mark.parametrize("kind", ["message", "app_mention"])
def test_a_reply_in_any_channels_thread_may_be_under_something_of_ours(kind: str) -> None:
    aside = read(event(kind, thread_ts=ROOT, parent_user_id=BOT, text=f"<@{BOT}> she is lying"), EARS)
    assert isinstance(aside, ThreadReply)
    assert (aside.addressed, aside.ours, aside.message.text) == (True, True, "she is lying")


def test_somebody_of_another_company_is_known_by_their_event() -> None:
    message = heard(user_team="T0OTHER", team="T0OTHER")
    ours = heard(user_team="T0TEAM", team="T0TEAM")
    assert message is not None and message.author.external
    assert ours is not None and not ours.author.external


# ── files ──


def test_files_come_as_media_with_a_link_and_without_bytes() -> None:
    photo = {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 12, "permalink": "https://x.slack.com/f/1"}
    files = [
        photo,
        {"id": "F2", "mimetype": "audio/mp4", "subtype": "slack_audio", "name": "voice.m4a"},
        {"id": "F3", "mimetype": "application/pdf", "title": "The bill", "permalink": "https://x|<!channel>"},
        {"id": "F4", "mode": "tombstone"},
        {"name": "no id"},
        "nonsense",
    ]
    message = heard(subtype="file_share", files=files, text="")
    assert message is not None
    assert message.media == (
        Media("slack", "F1", MediaKind.PHOTO, "a.png", 12, "https://x.slack.com/f/1"),
        Media("slack", "F2", MediaKind.VOICE, "voice.m4a"),
        Media("slack", "F3", MediaKind.DOCUMENT, "The bill"),
    )


def test_files_of_a_forwarded_message_say_whose_they_are() -> None:
    nested = [{"message": {"files": [{"id": "F3", "name": "c.png", "user": "U0BEN"}]}}]
    shared = {
        "is_share": True,
        "author_id": "U0ANN",
        "files": [{"id": "F1", "name": "a.png"}],
        "message_blocks": nested,
    }
    message = heard(files=[{"id": "F2", "name": "b.png"}], attachments=[shared], text="look")
    assert message is not None
    assert [(one.id, one.cited, one.by) for one in message.media] == [
        ("F2", False, ""),
        ("F1", True, "U0ANN"),
        ("F3", True, "U0BEN"),
    ]


# ── what teams write ──


def test_what_is_written_under_a_card_is_a_note() -> None:
    note = read(event(channel=BILLING, thread_ts=ROOT, user=LEAD, text="reply: on it"), EARS)
    assert note == Note(
        MessageRef("slack", BILLING, TS), MessageRef("slack", BILLING, ROOT), Person("slack", LEAD), "reply: on it", AT
    )


@pytest.mark.parametrize("fields", [{}, {"thread_ts": ROOT, "bot_id": "B0OTHER"}, {"thread_ts": TS}])
def test_other_talk_in_a_teams_channel_is_no_note(fields: Fields) -> None:
    assert read(event(channel=BILLING, **fields), EARS) is None


@pytest.mark.parametrize("kind", ["message", "app_mention"])
@pytest.mark.parametrize("channel", [BILLING, HELP, LOUNGE, DIRECT])
@pytest.mark.parametrize("written", [f"<@{BOT}> route billing", f" <@{BOT}|sb>:  Route  billing "])
def test_an_order_in_a_thread_names_the_team_and_the_thread(kind: str, channel: str, written: str) -> None:
    order = read(event(kind, channel=channel, thread_ts=ROOT, user=LEAD, text=written), EARS)
    assert order == RouteRequest(
        MessageRef("slack", channel, ROOT), MessageRef("slack", channel, TS), Person("slack", LEAD), "billing", AT
    )


def test_an_order_outside_a_thread_is_a_message_like_others() -> None:
    message = heard(text=f"<@{BOT}> route billing")
    assert message is not None
    assert message.text == "route billing"


# ── edits and deletions ──


def change(before: Fields, after: Fields, **fields: object) -> Fields:
    return event(
        subtype="message_changed",
        user=None,
        text=None,
        hidden=True,
        event_ts=TS,
        previous_message={"type": "message", "user": ANN, "ts": ROOT} | before,
        message={"type": "message", "user": ANN, "ts": ROOT} | after,
        **fields,
    )


def test_an_edit_is_the_new_words_of_that_message() -> None:
    before: Fields = {"text": f"<@{BOT}> helo"}
    payload = change(before, {"text": f"<@{BOT}> hello &amp; bye", "edited": {"user": ANN, "ts": TS}})
    assert read(payload, EARS) == Edit(MessageRef("slack", HELP, ROOT), "hello & bye", AT)


def test_an_edit_that_brings_a_mention_is_the_message_as_well() -> None:
    payload = change({"text": "hello"}, {"text": f"<@{BOT}> hello", "edited": {"user": ANN, "ts": TS}}, channel=LOUNGE)
    spoken = read(payload, EARS)
    assert isinstance(spoken, MentionedByEdit)
    assert spoken.edit == Edit(MessageRef("slack", LOUNGE, ROOT), "hello", AT)
    assert isinstance(spoken.message, Message)
    assert (spoken.message.ref, spoken.message.text) == (spoken.edit.ref, "hello")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"text": "see"}, {"text": "see", "attachments": [{"from_url": "https://example.com"}]}),
        ({"text": "see"}, {"text": "see", "edited": {"user": ANN, "ts": TS}}),
        ({"text": "a"}, {"text": "b"}),
        ({"text": "a", "user": BOT}, {"text": "b", "user": BOT, "edited": {"user": BOT, "ts": TS}}),
        ({"text": "a", "bot_id": "B0OTHER"}, {"text": "b", "bot_id": "B0OTHER", "edited": {"user": ANN, "ts": TS}}),
    ],
    ids=["preview", "same words", "not by hand", "our own", "another bot's"],
)
def test_what_is_no_change_of_words_by_a_person_is_no_edit(before: Fields, after: Fields) -> None:
    assert read(change(before, after), EARS) is None


def test_a_deleted_message_and_the_tombstone_of_one_are_deletions() -> None:
    gone = event(
        subtype="message_deleted", deleted_ts=ROOT, event_ts=TS, hidden=True, previous_message={"user": ANN, "ts": ROOT}
    )
    tomb = change({"text": "a"}, {"subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT"})
    assert read(gone, EARS) == read(tomb, EARS) == Deletion(MessageRef("slack", HELP, ROOT), AT)


def test_our_own_deleted_message_is_nobodys_deletion() -> None:
    gone = event(
        subtype="message_deleted",
        deleted_ts=ROOT,
        event_ts=TS,
        previous_message={"user": BOT, "bot_id": "B0", "ts": ROOT},
    )
    assert read(gone, EARS) is None


# ── news ──


@pytest.mark.parametrize(
    ("kind", "fields", "news"),
    [
        ("channel_id_changed", {"old_channel_id": "G1", "new_channel_id": "C1"}, Renamed("G1", "C1")),
        ("subteam_updated", {"subteam": {"id": "S1"}}, Regrouped("S1")),
        ("subteam_members_changed", {"subteam_id": "S1"}, Regrouped("S1")),
        ("emoji_changed", {"subtype": "add"}, NewEmoji()),
        ("channel_shared", {}, Reshared(HELP)),
        ("channel_archive", {}, Reshared(HELP)),
        ("tokens_revoked", {"tokens": {"oauth": [], "bot": ["U0BOT"]}}, Revoked("tokens_revoked")),
        ("tokens_revoked", {"tokens": {"oauth": ["U0ANN"]}}, None),
        ("app_uninstalled", {}, Revoked("app_uninstalled")),
        ("app_home_opened", {"tab": "home"}, HomeOpened(ANN)),
        ("app_home_opened", {"tab": "messages"}, None),
        ("channel_id_changed", {}, None),
    ],
)
def test_what_slack_tells_about_itself(kind: str, fields: Fields, news: object) -> None:
    assert read(event(kind, **fields), EARS) == news


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
        event(subtype="message_changed", message="nonsense", previous_message=[]),
        event(subtype="message_deleted"),
        event("tokens_revoked", tokens="nonsense"),
        event("subteam_updated", subteam=None, event_ts=3),
    ],
)
def test_a_strange_payload_is_nothing_and_no_error(payload: Fields) -> None:
    assert read(payload, EARS) in (None, Regrouped(""))


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
