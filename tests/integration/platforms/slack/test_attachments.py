"""Attachments: fetched for other platforms, uploaded from them, and shown to people who could not open them."""

from collections.abc import Callable

import pytest

from bot.domain.delivery import MOST_ATTEMPTS_WITH_FILES
from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import File, Media, MediaKind, MessageRef, Place
from bot.domain.posts import FollowUp, Reply
from bot.domain.report_posts import PICTURE
from bot.picture import picture
from bot.platforms.slack import attachments as attachments
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import ANN, BILLING, HELP, card, item
from tests.samples import COMPARED
from tests.servers.slack import SlackServer
from tests.servers.slack.files import StoredFile

ROOM = Place("slack", BILLING)


def media_of(file: StoredFile) -> Media:
    return Media("slack", file.id, MediaKind.PHOTO, file.name, link=f"https://test.slack.com/files/{file.id}")


async def test_a_file_is_fetched_with_our_token(server: SlackServer, mouth: Slack) -> None:
    file = server.files.add("bill.png", b"the bytes", "image/png", HELP)
    assert await mouth.fetch(media_of(file)) == b"the bytes"


def _external(server: SlackServer, file: StoredFile) -> None:
    file.external = "https://drive.example.com/steal"


def _unscoped(server: SlackServer, file: StoredFile) -> None:
    server.bot_token = "xoxb-other"
    server.fail("files.info", error="missing_scope")


def _gone(server: SlackServer, file: StoredFile) -> None:
    del server.files.stored[file.id]


def _large(server: SlackServer, file: StoredFile) -> None:
    file.content = b"x" * 1_001


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_external, "not kept at Slack"),
        (_unscoped, "missing_scope"),
        (_gone, "file_not_found"),
        (_large, "larger than 20 MB"),
    ],
)
async def test_a_file_that_cannot_be_had_is_refused(
    server: SlackServer,
    mouth: Slack,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[SlackServer, StoredFile], None],
    why: str,
) -> None:
    monkeypatch.setattr(attachments, "LARGEST", 1_000)
    file = server.files.add("bill.png", b"the bytes", "image/png", HELP)
    spoil(server, file)
    with pytest.raises(Refused, match=why):
        await mouth.fetch(media_of(file))


async def test_the_sign_in_page_is_no_file(server: SlackServer, mouth: Slack) -> None:
    file = server.files.add("bill.png", b"the bytes", "image/png", HELP)
    server.files.signed_out = True
    with pytest.raises(Refused, match="files:read"):
        await mouth.fetch(media_of(file))


async def test_a_slack_that_is_slow_with_files_is_asked_later(server: SlackServer, mouth: Slack) -> None:
    file = server.files.add("bill.png", b"x", "image/png", HELP)
    server.fail("files.info", status=503)
    with pytest.raises(Unreachable):
        await mouth.fetch(media_of(file))


# ── uploaded ──


async def test_another_platforms_files_come_into_the_thread_of_the_text(server: SlackServer, mouth: Slack) -> None:
    voice = Media("telegram", "AgAC", MediaKind.VOICE)
    receipt = await mouth.say(item(card(media=(voice,)), ROOM, files=(File(voice, b"sound"),)))
    [stored] = server.files.stored.values()
    assert (stored.name, stored.content, stored.shared, stored.thread) == ("voice", b"sound", [BILLING], receipt.id)
    assert "voice" in str(server.posts(BILLING)[0].blocks)


async def test_the_picture_of_a_report_comes_into_its_thread(server: SlackServer, mouth: Slack) -> None:
    receipt = await mouth.say(item(COMPARED, ROOM, files=(File(PICTURE, picture(COMPARED)),)))
    [stored] = server.files.stored.values()
    assert (stored.name, stored.shared, stored.thread) == ("switchboard.png", [BILLING], receipt.id)
    assert stored.content.startswith(b"\x89PNG")
    assert "Fine-tuning is worth it: +4.1 ± 1.2 points" in str(server.posts(BILLING)[0].blocks)


async def test_our_own_file_is_brought_only_where_its_readers_could_not_open_it(
    server: SlackServer, mouth: Slack
) -> None:
    public = server.files.add("public.png", b"1", "image/png", HELP)
    private = server.files.add("private.png", b"2", "image/png", "D0ANN")
    there = server.files.add("there.png", b"3", "image/png", "G0ROOM")
    receipt = await mouth.say(item(card(), ROOM))
    for file in (public, private, there):
        await mouth.say(item(FollowUp("Ann", "see", media=(media_of(file),)), ROOM, under=receipt))
    brought = [file for file in server.files.stored.values() if BILLING in file.shared]
    assert [(file.name, file.content, file.thread) for file in brought] == [
        ("private.png", b"2", receipt.id),
        ("there.png", b"3", receipt.id),
    ]


async def test_a_reply_takes_its_file_along_to_the_person(server: SlackServer, mouth: Slack) -> None:
    root = await server.writes(ANN, ANN, "I was charged twice")
    file = server.files.add("refund.pdf", b"pdf", "application/pdf", "G0ROOM")
    await mouth.say(item(Reply("billing", "here", None, "Ben", media=(media_of(file),)), Place("slack", "D0ANN", root)))
    assert [(f.name, f.thread) for f in server.files.stored.values() if "D0ANN" in f.shared] == [("refund.pdf", root)]


async def test_the_text_is_said_even_if_the_file_may_not_come(server: SlackServer, mouth: Slack) -> None:
    voice = Media("telegram", "AgAC", MediaKind.VOICE, "hello.ogg")
    server.fail("files.getUploadURLExternal", error="missing_scope")
    receipt = await mouth.say(item(card(media=(voice,)), ROOM, files=(File(voice, b"sound"),)))
    assert receipt == MessageRef("slack", BILLING, server.posts(BILLING)[0].ts)
    assert "hello.ogg" in str(server.posts(BILLING)[0].blocks)


async def test_an_upload_that_keeps_failing_lets_its_text_and_what_is_behind_it_go_on(
    server: SlackServer, mouth: Slack
) -> None:
    voice = Media("telegram", "AgAC", MediaKind.VOICE, "hello.ogg")
    server.fail("files.getUploadURLExternal", status=503, times=99)
    for attempt in range(1, MOST_ATTEMPTS_WITH_FILES):
        with pytest.raises(Unreachable):
            await mouth.say(item(card(media=(voice,)), ROOM, files=(File(voice, b"sound"),), attempt=attempt))
    last = item(card(media=(voice,)), ROOM, files=(File(voice, b"sound"),), attempt=MOST_ATTEMPTS_WITH_FILES)
    receipt = await mouth.say(last)
    [said] = server.posts(BILLING)
    assert (receipt.id, "hello.ogg" in str(said.blocks)) == (said.ts, True)


async def test_attempts_that_did_not_say_the_text_are_none_of_its_files(server: SlackServer, mouth: Slack) -> None:
    voice = Media("telegram", "AgAC", MediaKind.VOICE)
    server.fail("files.completeUploadExternal", status=503)
    with pytest.raises(Unreachable):
        await mouth.say(item(card(media=(voice,)), ROOM, files=(File(voice, b"sound"),), attempt=40))


async def test_an_upload_that_hangs_is_tried_again(
    server: SlackServer, mouth: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "_SECONDS", 0.05)
    server.fail("files.getUploadURLExternal", delay=5.0)
    voice = Media("telegram", "AgAC", MediaKind.VOICE)
    with pytest.raises(Unreachable, match="took longer"):
        await mouth.say(item(card(media=(voice,)), ROOM, files=(File(voice, b"sound"),)))


async def test_an_upload_that_got_lost_is_tried_again_without_saying_the_text_twice(
    server: SlackServer, mouth: Slack
) -> None:
    voice = Media("telegram", "AgAC", MediaKind.VOICE)
    post = item(card(media=(voice,)), ROOM, files=(File(voice, b"sound"),))
    server.fail("files.completeUploadExternal", status=503)
    with pytest.raises(Unreachable):
        await mouth.say(post)
    again = item(card(media=(voice,)), ROOM, files=(File(voice, b"sound"),), attempt=2)
    await mouth.say(again)
    assert len(server.posts(BILLING)) == 1
    assert len([file for file in server.files.stored.values() if file.shared]) == 1
