"""The rest of a long text is sent in further posts, which follow every change of it."""

from dataclasses import replace

from bot.domain.continuation import FILES, PIECE, continued, continues, history_on_card, on_card
from bot.domain.messages import Media, MediaKind, Place
from bot.domain.posts import ON_THE_CARD, Card, Content, Continuation, FollowUp, OutboxItem, Post, Reply
from bot.domain.rich_text import Style, plain, runs
from tests.samples import card

WORDS = " ".join(f"word{number}" for number in range(1_000))
ROOM = Place("slack", "C1")


def item(content: Content, **changes: object) -> OutboxItem:
    return replace(OutboxItem(7, Post(ROOM, content), 1), **changes)  # type: ignore[arg-type]


def long_card(**changes: object) -> Card:
    return replace(replace(card(), excerpt=WORDS), **changes)  # type: ignore[arg-type]


def texts(posts: list[Post]) -> list[str]:
    return [post.content.text for post in posts if isinstance(post.content, Continuation)]


def test_a_card_and_what_follows_is_the_whole() -> None:
    posts = continued(item(long_card()))
    assert " ".join([on_card(long_card()), *texts(posts)]) == WORDS
    assert [(post.place, post.under) for post in posts] == [(ROOM, 7)] * len(posts)
    assert continues(long_card()) == len(posts) > 1


def test_short_words_need_nothing_behind_them() -> None:
    assert continued(item(card())) == []


def test_a_reply_goes_on_with_the_person_and_a_follow_up_under_its_card() -> None:
    [more] = continued(item(Reply("billing", "x " * (PIECE // 2 + 9), "pt-BR", "Ben")))
    assert isinstance(more.content, Continuation)
    assert (more.place, more.under, more.content.language, more.content.to_person) == (ROOM, None, "pt-BR", True)
    under = item(FollowUp("Ann", "x " * (PIECE // 2 + 9)))
    assert [post.under for post in continued(replace(under, post=replace(under.post, under=5)))] == [5]


def standing(of: Content) -> tuple[tuple[int, Continuation], ...]:
    posts = continued(item(of))
    return tuple((20 + at, post.content) for at, post in enumerate(posts) if isinstance(post.content, Continuation))


def edited(now: Content, before: Content) -> list[Post]:
    return continued(replace(item(now), post=Post(ROOM, now, edits=7), id=9, continued=standing(before)))


def test_other_words_change_the_pieces_that_say_something_else() -> None:
    assert edited(long_card(edited=True), long_card()) == []
    posts = edited(long_card(excerpt=WORDS + " end"), long_card())
    assert [(post.edits, texts([post])[0].endswith("end")) for post in posts][-1][1]
    assert all(post.edits is not None for post in posts)


def test_of_deleted_words_no_piece_stays() -> None:
    posts = edited(long_card(excerpt="", deleted=True), long_card())
    assert [post.edits for post in posts] == [20 + at for at in range(len(standing(long_card())))]
    assert all(isinstance(post.content, Continuation) and post.content.gone for post in posts)
    assert texts(posts) == [""] * len(posts)


def test_what_was_emptied_in_the_records_is_emptied_in_the_chat_once() -> None:
    emptied = tuple((post, replace(says, text="")) for post, says in standing(long_card()))
    gone = replace(card(), excerpt="", deleted=True)
    again = replace(item(gone), post=Post(ROOM, gone, edits=7), continued=emptied)
    posts = continued(again)
    assert len(posts) == len(emptied)
    said = tuple((post.edits or 0, post.content) for post in posts if isinstance(post.content, Continuation))
    assert continued(replace(again, continued=said)) == []


def test_a_card_that_was_left_leaves_its_thread_as_it_is() -> None:
    assert edited(long_card(moved_to="it"), long_card()) == []


def test_an_edited_follow_up_that_grew_goes_on_under_the_standing_card() -> None:
    longer = FollowUp("Ann", WORDS, edited=True)
    posts = continued(replace(item(longer), post=Post(ROOM, longer, edits=7)))
    assert {post.place for post in posts} == {ON_THE_CARD}


def test_what_was_said_before_is_whole_under_the_card_where_the_card_cuts_it() -> None:
    history = (("Cleo", "x " * 400), ("Ben", "short"))
    moved = replace(card(), history=history)
    assert [who for who, _ in history_on_card(moved)] == ["Cleo", "Ben"]
    assert history_on_card(moved)[0][1].endswith("…")
    assert texts(continued(item(moved))) == [f"Cleo: {'x ' * 400}\nBen: short"]
    assert continued(item(replace(card(), history=(("Ben", "short"),)))) == []


def test_files_that_a_post_has_no_room_for_follow_with_where_they_are() -> None:
    link = "https://x.slack.com/files/F{}"
    files = tuple(Media("slack", f"F{n}", MediaKind.PHOTO, f"{n}.png", link=link.format(n)) for n in range(FILES + 2))
    reply = Reply("billing", "look", "en", "Ben", files)
    for content in (replace(card(), media=files), FollowUp("Ann", "look", files), reply):
        [piece] = texts(continued(item(content)))
        assert plain(piece) == f"📎 {FILES}.png\n📎 {FILES + 1}.png"
        assert runs(piece)[-1].value(Style.LINK) == link.format(FILES + 1)
        assert continued(item(replace(content, media=files[:FILES]))) == []


def test_words_that_grow_long_and_short_again_leave_nothing_behind() -> None:
    grown = edited(long_card(edited=True), card())
    assert [post.edits for post in grown] == [None] * continues(long_card())
    for post in edited(card(), long_card()):
        assert post.edits is not None and isinstance(post.content, Continuation)
        assert (post.content.text, post.content.gone) == ("", True)
