"""What every platform promises: a class of tests to inherit from, with the platform as `one`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from bot.domain import model_ports, queries
from bot.domain.errors import ConfigError, Refused, Unreachable
from bot.domain.ledger import Ledger
from bot.domain.messages import Media, MediaKind, MessageRef, Person, Place
from bot.domain.ports import Platform
from bot.domain.posts import (
    KINDS,
    Answer,
    Card,
    Content,
    Continuation,
    FollowUp,
    Moved,
    Notice,
    Offer,
    OutboxItem,
    Post,
    Question,
    Reply,
    Sent,
    Solved,
    Split,
    What,
    WordsPlease,
    WrongTeam,
)
from bot.domain.question_posts import Alert
from bot.domain.report_posts import (
    Digest,
    LearningReport,
    ShadowCard,
    ShadowExplanation,
    TrainingProgress,
    Trial,
    Withdrawal,
)
from bot.domain.tasks import Label, Task, Vocabulary
from bot.init import settings_text
from bot.platforms import EMOJI_ACTS, EXAMPLE_TEAMS, PlatformContext, PlatformModule
from bot.settings import load
from tests.samples import COMPARED

REWRITTEN = 14
"""The number of kinds of posts that change after they are sent."""
Settings = tuple[dict[str, object], dict[str, str]]
"""A platform's table, and the environment."""


@dataclass(frozen=True)
class UnderTest:
    """A platform, with the people and rooms for its tests."""

    name: str
    module: PlatformModule
    room: str
    person: str
    chat: str
    """The place where that person writes."""
    settings: Callable[[], AbstractAsyncContextManager[Settings]]
    """With the service that implements its protocol running, if there is one."""
    whispers: bool = False


def platform_context(one: UnderTest) -> PlatformContext:
    name, room = one.name, one.module.place(one.room)
    label = Label("billing", "Invoices", deliver_to={name: room})
    task = Task("routing", "Which team?", (label, Label("other", "The rest", deliver_to={name: room})), "other")
    take, done, wrong, send = ({name: one.module.emoji(one.module.usual_emoji[act])} for act in EMOJI_ACTS)
    return PlatformContext(
        task,
        ("en", "pt-BR", "es"),
        "starter",
        Vocabulary(take, done, wrong, send),
        cast(Ledger, None),
        cast(queries.ChatCommands, None),
        cast(queries.Transcript, None),
        cast(model_ports.Registry, None),
        cast(model_ports.Examples, None),
    )


@asynccontextmanager
async def connected(one: UnderTest) -> AsyncIterator[Platform]:
    async with (
        one.settings() as (table, environment),
        one.module.connect(one.module.parse(table, environment), platform_context(one)) as platform,
    ):
        yield platform


async def said(platform: Platform, item: OutboxItem) -> MessageRef:
    """Send as the courier does: if a chat asks for patience, wait."""
    while True:
        try:
            return await platform.say(item)
        except Unreachable as error:
            if error.retry_after is None:
                raise
            await asyncio.sleep(error.retry_after.total_seconds())


def contents(one: UnderTest) -> list[tuple[str, Content]]:
    """One post of every kind, with the chat to which it is sent."""
    source = MessageRef(one.name, one.chat, "1")
    elsewhere = Media("elsewhere", "f", MediaKind.DOCUMENT, "bill.pdf")
    person, room = one.chat, one.room
    return [
        (person, Answer("billing", "pt")),
        (person, Question(("billing",), "es")),
        (person, WordsPlease(None)),
        (person, Moved("billing", "en")),
        (person, Reply("billing", "a <b> & *c*", "en", "Lee", (elsewhere,))),
        (person, Solved("billing", "en")),
        (person, Split("billing", "en", source)),
        (room, card(one)),
        (room, FollowUp("Ann", "and <!channel> this", (elsewhere,))),
        (room, Offer(1, "Ann", "a <b> & *c*")),
        (room, Sent("a <b> & *c*", "Lee", "Ann")),
        (room, WrongTeam(("billing", "other"))),
        (room, Notice(What.UNTAKEN, minutes=30)),
        (room, Alert("fraud", "suspicious", "Suspicious", 0.9, "model", "billing", source)),
        (room, LearningReport("routing", "routing-2", True, ("better",))),
        (room, LearningReport("routing", "routing-1", False, (), Withdrawal("routing-2", 400, 60, 900, 50))),
        (room, LearningReport("routing", "routing-1", False, (), unlearned="routing-2")),
        (room, Digest("routing", (1, 0, 3), 4, 1, 1, (("billing", "other"),), (1,), (23,), ("teams",), 2)),
        (room, TrainingProgress("routing", "routing-3", "training", 40)),
        (room, LearningReport("routing", "routing-2", True, (), trial=Trial(0.1, 300, 20, 2_700, 200))),
        (room, ShadowCard("routing", "routing-3", 212, 14, 11)),
        (room, ShadowExplanation("routing-3", 400, 0.91, 0.9, ("not proven",))),
        (room, COMPARED),
        (room, Continuation("and more", 3, 1, 2)),
        (person, Continuation("and more", 4, 1, 1, to_person=True)),
    ]


SHADOWED = ShadowCard("routing", "routing-3", 212, 14, 11)


def card(one: UnderTest, **changes: object) -> Card:
    source = MessageRef(one.name, one.chat, "1")
    plain = Card(7, "billing", "a <b> & *c*", "Ann", source, "model", "confident", 0.9, "routing-1", ())
    return replace(plain, **changes)  # type: ignore[arg-type]


def rewritten(one: UnderTest) -> list[tuple[str, Content, Content]]:
    """(chat, first content, new content) of every post that changes after it is sent."""
    source = MessageRef(one.name, one.chat, "1")
    person, room = one.chat, one.room
    told = Alert("fraud", "suspicious", "Suspicious", 0.9, "model", "billing", source)
    return [
        (person, Question(("billing",), "en"), Question((), "en", answered="billing", chosen=True)),
        (person, Reply("billing", "one", "en", "Lee"), Reply("billing", "two", "en", "Lee", edited=True)),
        (person, Solved("billing", "en"), Solved("billing", "en", answer="yes")),
        (person, Split("billing", "en", source), Split("billing", "en", source, done=True)),
        (room, card(one), card(one, taken_by="Lee", edited=True)),
        (room, card(one), card(one, moved_to="other", moved_link=MessageRef(one.name, room, "9"))),
        (room, card(one), card(one, deleted=True, excerpt="")),
        (room, FollowUp("Ann", "one"), FollowUp("Ann", "two", edited=True)),
        (room, FollowUp("Ann", "one"), FollowUp("Ann", "", deleted=True)),
        (room, Offer(1, "Ann", "one"), Offer(1, "Ann", "one", sent=True)),
        (room, WrongTeam(("billing", "other")), WrongTeam((), chosen="other")),
        (room, told, replace(told, withdrawn=True)),
        (
            room,
            TrainingProgress("routing", "routing-3", "training", 40),
            LearningReport("routing", "routing-3", True, ("better",)),
        ),
        (room, SHADOWED, replace(SHADOWED, decided="kept", by="Lee")),
    ]


class PlatformContract:
    """Inherit from it, and provide a fixture `one`."""

    def test_its_emoji_have_one_normal_form(self, one: UnderTest) -> None:
        teams = [team.emoji for team in one.module.example_teams.values()]
        for written in [*one.module.usual_emoji.values(), *teams]:
            normal = one.module.emoji(written)
            assert one.module.emoji(normal) == normal
        with pytest.raises(ValueError):
            one.module.emoji("not an emoji")

    def test_every_act_and_every_team_of_the_written_settings_has_an_emoji_of_its_own(self, one: UnderTest) -> None:
        assert tuple(one.module.usual_emoji) == EMOJI_ACTS
        assert tuple(one.module.example_teams) == EXAMPLE_TEAMS
        emoji = [*one.module.usual_emoji.values(), *(team.emoji for team in one.module.example_teams.values())]
        assert len(set(emoji)) == len(emoji)

    async def test_the_settings_that_init_writes_load(self, one: UnderTest, tmp_path: Path) -> None:
        file = tmp_path / "switchboard.toml"
        file.write_text(settings_text({one.name: one.module}, http=False), "utf-8")
        async with one.settings() as (_, environment):
            settings = load(file, environment)
        assert set(settings.platforms) == {one.name}
        assert [set(team.deliver_to) for team in settings.routing.labels] == [{one.name}] * len(EXAMPLE_TEAMS)

    def test_its_rooms_are_its_own(self, one: UnderTest) -> None:
        assert one.module.place(one.room).platform == one.name
        with pytest.raises(ValueError):
            one.module.place("")

    def test_a_wrong_key_is_named(self, one: UnderTest) -> None:
        with pytest.raises(ConfigError) as caught:
            one.module.parse({"colour": "blue"}, {})
        assert any(mistake.startswith(f"platforms.{one.name}.colour") for mistake in caught.value.mistakes)

    async def test_its_settings_never_show_a_secret(self, one: UnderTest) -> None:
        async with one.settings() as (table, environment):
            shown = repr(one.module.parse(table, environment))
            assert not [value for key, value in environment.items() if "TOKEN" in key and value in shown]

    async def test_it_says_every_kind_of_post_and_gives_receipts_of_its_own(self, one: UnderTest) -> None:
        async with connected(one) as platform:
            assert platform.name == one.name
            posts = contents(one)
            assert {type(content).__name__ for _, content in posts} == set(KINDS)
            receipts = [
                await said(platform, OutboxItem(number, Post(Place(one.name, chat), content), 1))
                for number, (chat, content) in enumerate(posts, start=1)
            ]
            assert {receipt.platform for receipt in receipts} == {one.name}
            assert len(set(receipts)) == len(receipts)

    @pytest.mark.parametrize("which", range(REWRITTEN))
    async def test_it_rewrites_what_it_said_and_rewriting_twice_is_harmless(self, one: UnderTest, which: int) -> None:
        assert len(rewritten(one)) == REWRITTEN
        chat, before, after = rewritten(one)[which]
        async with connected(one) as platform:
            receipt = await said(platform, OutboxItem(1, Post(Place(one.name, chat), before), 1))
            for attempt in (1, 2):
                edit = OutboxItem(2, Post(Place(one.name, chat), after, edits=1), attempt, edits=receipt)
                assert await said(platform, edit) == receipt

    async def test_nobody_may_do_anything_who_is_not_of_the_team(self, one: UnderTest) -> None:
        async with connected(one) as platform:
            team, room = Label("billing", "Invoices"), one.module.place(one.room)
            for person in (Person(one.name, one.person, external=True), Person("elsewhere", one.person)):
                assert not await platform.may_correct(person, team, room)
                assert not await platform.may_handle(person, room)
            assert not await platform.may_correct(Person(one.name, one.person), team, room)

    async def test_it_fetches_nothing_of_another_platform(self, one: UnderTest) -> None:
        async with connected(one) as platform:
            with pytest.raises(Refused):
                await platform.fetch(Media("elsewhere", "f", MediaKind.DOCUMENT, "bill.pdf"))

    async def test_it_says_whether_it_whispers(self, one: UnderTest) -> None:
        async with connected(one) as platform:
            assert platform.whispers is one.whispers

    def test_a_lead_that_is_nobody_is_refused(self, one: UnderTest) -> None:
        for nobody in ("", None, "somebody that nobody knows"):
            with pytest.raises(ValueError):
                one.module.lead(nobody)

    async def test_its_check_finds_something_and_more_than_once(self, one: UnderTest) -> None:
        async with one.settings() as (table, environment):
            config, around = one.module.parse(table, environment), platform_context(one)
            for _ in range(2):
                found = [finding async for finding in one.module.check(config, around)]
                assert found
                assert all(finding.what and finding.ok is not bool(finding.remedy) for finding in found)

    def test_what_has_to_be_handed_over_is_files_with_names(self, one: UnderTest) -> None:
        for address in ("", "https://bot.example.com"):
            files = one.module.install(address)
            assert all(Path(file).name == file and content.strip() for file, content in files.items())

    async def test_it_is_not_healthy_before_it_listens(self, one: UnderTest) -> None:
        async with connected(one) as platform:
            await asyncio.sleep(0)
            assert not platform.healthy()
