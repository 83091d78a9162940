"""Photos, files and voice: received, sent, and passed from one platform to the other."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.continuation import continued
from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import File, Media, MediaKind, Message, MessageRef
from bot.domain.posts import FollowUp, Reply
from bot.domain.report_posts import PICTURE
from bot.picture import picture
from tests.fakes_ledger import FakeLedger
from tests.integration.platforms.telegram.parts import (
    ANN,
    BILLING,
    IT,
    LEAD,
    STRANGER,
    Recorder,
    config,
    connected,
    hearing,
    item,
    platform_context,
)
from tests.samples import COMPARED
from tests.servers.telegram import TelegramServer

LOUNGE = -1008


def upload(kind: MediaKind, name: str = "", content: bytes = b"bytes") -> File:
    return File(Media("slack", f"F-{kind}-{name}", kind, name, len(content)), content)


async def heard(server: TelegramServer, inbox: Recorder, count: int) -> list[Message]:
    await server.until(lambda: len(inbox.messages) == count)
    return [*inbox.messages.values()]


async def test_a_photo_with_a_caption_is_words_and_a_photo_that_can_be_fetched(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hearing(server, inbox) as telegram:
        await server.shows(ANN, "photo", b"jpeg", caption="it arrived broken")
        [message] = await heard(server, inbox, 1)
        assert (message.text, message.media[0].kind) == ("it arrived broken", MediaKind.PHOTO)
        assert await telegram.fetch(message.media[0]) == b"jpeg"


@pytest.mark.parametrize("kind", ["voice", "sticker", "photo", "document", "video", "audio"])
async def test_what_has_no_words_is_heard_with_what_it_has(server: TelegramServer, inbox: Recorder, kind: str) -> None:
    async with hearing(server, inbox):
        await server.shows(ANN, kind)
        [message] = await heard(server, inbox, 1)
    assert (message.text, [one.kind.value for one in message.media]) == ("", [kind])


async def test_an_album_in_private_is_pieces_of_one_moment(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox):
        await server.shows(ANN, "photo", caption="all broken", album="a")
        for _ in range(4):
            await server.shows(ANN, "photo", album="a")
        pieces = await heard(server, inbox, 5)
    assert {piece.place for piece in pieces} == {pieces[0].place}
    assert sum(len(piece.media) for piece in pieces) == 5
    assert [piece.text for piece in pieces] == ["all broken", "", "", "", ""]


@pytest.mark.parametrize("named", [0, 1, 2])
async def test_of_an_album_in_a_group_every_picture_counts_if_one_names_us(
    server: TelegramServer, inbox: Recorder, named: int
) -> None:
    server.add_group(LOUNGE, "lounge")
    async with hearing(server, inbox):
        for number in range(3):
            caption = "@switchboard_bot broken" if number == named else ""
            await server.shows(ANN, "photo", chat=LOUNGE, caption=caption, album="a")
            await server.shows(STRANGER, "photo", chat=LOUNGE, album="b")
        pieces = await heard(server, inbox, 3)
    assert sorted(piece.text for piece in pieces) == ["", "", "broken"]
    assert {piece.author.id for piece in pieces} == {str(ANN)}


async def test_an_album_under_a_card_is_notes_under_that_card(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox) as telegram:
        card = await telegram.say(item(FollowUp("Ann", "x"), str(BILLING)))
        await server.shows(LEAD, "photo", chat=BILLING, caption="reply: look", album="a", reply_to=int(card.id))
        await server.shows(LEAD, "photo", chat=BILLING, album="a")
        await server.until(lambda: len(inbox.notes) == 2)
    first, second = inbox.notes.values()
    assert (first.under, second.under) == (card, card)
    assert (first.text, first.send, second.send) == ("reply: look", False, True)


@pytest.mark.parametrize("files", [1, 2], ids=["a document", "an album"])
async def test_what_came_behind_a_post_is_written_down_as_a_part_of_it(server: TelegramServer, files: int) -> None:
    kind = MediaKind.DOCUMENT if files == 1 else MediaKind.PHOTO
    parcels = [upload(kind, f"{number}.pdf") for number in range(files)]
    said = FollowUp("Ann", "look at these", tuple(one.media for one in parcels))
    ledger = FakeLedger()
    async with connected(config(server), platform_context(ledger=ledger)) as telegram:
        post = await telegram.say(item(said, str(BILLING), files=parcels))
    pieces = range(int(post.id) + 1, int(post.id) + 1 + files)
    assert ledger.parts == {MessageRef("telegram", str(BILLING), str(piece)): post for piece in pieces}


async def test_an_edited_caption_is_an_edit(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox):
        photo = await server.shows(ANN, "photo", caption="borken")
        await server.edits(ANN, ANN, photo, "broken")
        await server.until(lambda: inbox.edits)
    assert [edit.text for edit in inbox.edits] == ["broken"]


async def test_telegrams_own_photo_is_copied_under_the_words_without_its_caption(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hearing(server, inbox) as telegram:
        await server.shows(ANN, "photo", b"jpeg", caption="it arrived broken")
        [message] = await heard(server, inbox, 1)
        receipt = await telegram.say(item(FollowUp("Ann", message.text, message.media), str(BILLING)))
    words, photo = server.posts(BILLING)
    assert receipt.id == str(words.message_id)
    assert photo.extra["photo"]
    assert (photo.reply_to, photo.quiet, photo.extra.get("caption")) == (words.message_id, True, None)
    assert "Attached" not in words.text


@pytest.mark.parametrize("kind", ["photo", "document", "voice"])
async def test_a_file_outlives_the_message_it_came_with(server: TelegramServer, inbox: Recorder, kind: str) -> None:
    async with hearing(server, inbox) as telegram:
        await server.shows(ANN, kind)
        [message] = await heard(server, inbox, 1)
        server.protects(ANN)
        await telegram.say(item(FollowUp("Ann", "", message.media), str(BILLING)))
    assert kind in server.posts(BILLING)[-1].extra


async def test_a_location_and_a_contact_are_copied_for_they_have_no_file(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hearing(server, inbox) as telegram:
        await server.writes(ANN, "", extra={"location": {"latitude": 1.5, "longitude": 2.5}})
        [message] = await heard(server, inbox, 1)
        await telegram.say(item(FollowUp("Ann", "", message.media), f"{IT}/45"))
        with pytest.raises(Refused, match="a location has no file"):
            await telegram.fetch(message.media[0])
    assert server.posts(IT)[-1].extra == {"location": {"latitude": 1.5, "longitude": 2.5}}
    assert server.posts(IT)[-1].thread == 45


async def test_files_from_elsewhere_are_uploaded_as_what_they_are(server: TelegramServer) -> None:
    await server.writes(ANN, "hello")
    files = [
        upload(MediaKind.PHOTO, "a.png", b"png"),
        upload(MediaKind.DOCUMENT, "bill.pdf", b"pdf"),
        upload(MediaKind.VOICE, "", b"ogg"),
        upload(MediaKind.VIDEO, "film.mp4", b"mp4"),
    ]
    reply = Reply("billing", "see these", "en", "Lee", tuple(file.media for file in files))
    async with connected(config(server)) as telegram:
        await telegram.say(item(reply, str(ANN), files=files))
    words, *sent = server.posts(ANN)
    assert words.text == "billing writes:\nsee these"
    assert [next(iter(post.extra)) for post in sent] == ["photo", "document", "voice", "document"]
    assert sorted(content for _, content in server.account.files.values()) == [b"mp4", b"ogg", b"pdf", b"png"]
    assert sent[1].extra["document"]["file_name"] == "bill.pdf"  # type: ignore[index]
    assert {post.reply_to for post in sent} == {words.message_id}


async def test_the_picture_of_a_report_is_a_photo_that_answers_it(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        await telegram.say(item(COMPARED, str(BILLING), files=[File(PICTURE, picture(COMPARED))]))
    words, photo = server.posts(BILLING)
    assert "Fine-tuning is worth it: +4.1 ± 1.2 points" in words.text
    assert "photo" in photo.extra
    assert photo.reply_to == words.message_id
    [(_, content)] = server.account.files.values()
    assert content.startswith(b"\x89PNG")


async def test_several_photos_travel_as_one_album(server: TelegramServer) -> None:
    await server.writes(ANN, "hello")
    files = [upload(MediaKind.PHOTO, f"{number}.png") for number in range(12)]
    reply = Reply("billing", "see these", "en", "Lee", tuple(file.media for file in files))
    async with connected(config(server)) as telegram:
        await telegram.say(item(reply, str(ANN), files=files))
    assert len(server.calls_to("sendMediaGroup")) == 2
    assert len(server.posts(ANN)) == 13


async def test_what_did_not_come_along_is_named_in_the_words(server: TelegramServer) -> None:
    await server.writes(ANN, "hello")
    gone = Media("slack", "F1", MediaKind.DOCUMENT, "huge.iso", 10**10)
    async with connected(config(server)) as telegram:
        await telegram.say(item(Reply("billing", "see this", "en", "Lee", (gone,)), str(ANN)))
    assert [post.text for post in server.posts(ANN)] == ["billing writes:\nsee this\nAttached: huge.iso"]


async def test_an_attachment_that_fails_is_said_and_the_words_are_not_repeated(server: TelegramServer) -> None:
    await server.writes(ANN, "hello")
    file = upload(MediaKind.DOCUMENT, "bill.pdf")
    server.fail("sendDocument", retry_after=30)
    async with connected(config(server)) as telegram:
        await telegram.say(item(Reply("billing", "see", "en", "Lee", (file.media,)), str(ANN), files=[file]))
    assert [post.text for post in server.posts(ANN)] == [
        "billing writes:\nsee",
        "Could not be passed on: bill.pdf",
    ]


async def test_attachments_count_in_the_pace_of_their_chat(server: TelegramServer) -> None:
    await server.writes(ANN, "hello")
    files = [upload(MediaKind.DOCUMENT, f"{number}.pdf") for number in range(4)]
    reply = Reply("billing", "see", "en", "Lee", tuple(file.media for file in files))
    async with connected(config(server)) as telegram:
        assert telegram.delay(item(reply, str(ANN), files=files)) == timedelta(0)
        await telegram.say(item(reply, str(ANN), files=files))
        more = replace(item(Reply("billing", "more", "en", "Lee"), str(ANN)), id=10)
        assert telegram.delay(more) > timedelta(seconds=1)


@pytest.mark.parametrize(
    ("fault", "error", "match"),
    [
        ({"error": "Bad Request: file is too big"}, Refused, "20 MB"),
        ({"error": "Bad Request: wrong file_id or the file is temporarily unavailable"}, Refused, "gone"),
        ({"status": 502}, Unreachable, "telegram"),
    ],
)
async def test_a_file_that_cannot_be_fetched_says_why(
    server: TelegramServer, inbox: Recorder, fault: dict[str, str], error: type[Exception], match: str
) -> None:
    async with hearing(server, inbox) as telegram:
        await server.shows(ANN, "photo", b"jpeg")
        [message] = await heard(server, inbox, 1)
        server.fail("getFile", **fault)  # type: ignore[arg-type]
        with pytest.raises(error, match=match):
            await telegram.fetch(message.media[0])


async def test_a_file_that_is_too_large_is_not_even_asked_for(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        with pytest.raises(Refused, match="20 MB"):
            await telegram.fetch(Media("telegram", "111:5:f", MediaKind.VIDEO, "film.mp4", 20_000_001))
        with pytest.raises(Refused):
            await telegram.fetch(Media("slack", "F1", MediaKind.DOCUMENT))
    assert server.calls_to("getFile") == []


async def test_a_text_longer_than_a_message_goes_on_in_the_next(server: TelegramServer) -> None:
    await server.writes(ANN, "hello")
    long = item(Reply("billing", "щ" * 8_000, "en", "Lee"), str(ANN))
    async with connected(config(server)) as telegram:
        await telegram.say(long)
        for post in continued(long):
            await telegram.say(replace(long, id=long.id + 1, post=post))
    first, *others = server.posts(ANN)
    assert first.text == "billing writes:\n" + "щ" * 3_000
    assert "".join(post.text for post in others) == "щ" * 5_000
