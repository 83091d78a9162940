"""Further questions on a real database: asked, shown, corrected, taken back, and what follows from their answers."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.cli import cli
from bot.domain.consequences import Consequences
from bot.domain.decisions import Author, Prediction
from bot.domain.errors import NotTrained, SwitchboardError, Unreachable
from bot.domain.learning import Example, Side, Source
from bot.domain.messages import MessageRef, Person, Place
from bot.domain.model_ports import Query
from bot.domain.posts import Answer, Moved, Notice, Question, Reply, What, WrongTeam
from bot.domain.question_posts import Alert, QuestionAnswer
from bot.domain.report_posts import LearningReport
from bot.domain.tasks import Label, Task
from bot.init import of_names, settings_text
from bot.platforms import platform_modules
from bot.settings import load
from db.engine import Database
from db.examples import PostgresExamples
from db.queries import PostgresQueries
from db.tables import DecisionRow
from tests.fakes import FakePlatform, FakePredictor
from tests.integration.flow.conftest import Story
from tests.samples import AGENT, LEAD, TASK

OTHER_LEAD = Person("web", "lead2", "Lou")
SECURITY, COPIES = Place("web", "security"), Place("web", "auditors")
MOOD = Task(
    "sentiment",
    "How does the writer feel?",
    (
        Label("upset", "angry", emoji={"web": "😠"}, title="Upset"),
        Label("calm", "anything else", emoji={"web": "🙂"}, title="Calm"),
        Label("glad", "happy", title="Glad"),
    ),
    fallback="calm",
    ask_below=0.60,
)
ALL = Consequences((SECURITY,), (COPIES,), timedelta(minutes=5), hold=True, first=True)
FRAUD = Task(
    "fraud",
    "Is it fraud?",
    (
        Label("suspicious", "fraud", emoji={"web": "🚨"}, title="Suspicious", consequences=ALL),
        Label("ordinary", "anything else", emoji={"web": "👍"}, title="Ordinary"),
    ),
    fallback="ordinary",
    ask_below=0.60,
)


class Oracle(FakePredictor):
    """Sure of each question by words of its own; a question may fail while others are answered."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble: dict[str, SwitchboardError | Exception] = {}

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        task = query.task.name
        if task in self.trouble:
            raise self.trouble[task]
        if task == TASK.name:
            return await super().predict(query, texts)
        hot, cold = ("upset", "calm") if task == "sentiment" else ("suspicious", "ordinary")
        word = "outrageous" if task == "sentiment" else "gift cards"
        likely = [hot if word in text else cold for text in texts]
        rest = len(query.task.names) - 1
        return [
            Prediction({name: 0.91 if name == one else 0.09 / rest for name in query.task.names}, None)
            for one in likely
        ]


def told(database: Database, folder: Path, *questions: Task) -> Story:
    return Story(database, folder, predictor=Oracle(), questions=questions)


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Story:
    return told(database, tmp_path, MOOD)


@pytest.fixture
def guarded(database: Database, tmp_path: Path) -> Story:
    """Suspicious requests have consequences."""
    return told(database, tmp_path, FRAUD)


def on_card(story: Story, position: int = -1) -> list[tuple[str, str]]:
    return [(one.label, one.by) for one in story.reads(position).answers]


def alerts(story: Story, place: Place) -> list[Alert]:
    said = [item.post for item in story.said() if item.post.place == place]
    return [post.content for post in said if isinstance(post.content, Alert)]


async def decided(database: Database) -> list[tuple[str, str, str]]:
    async with database.transaction() as session:
        rows = await session.scalars(select(DecisionRow).order_by(DecisionRow.id))
        return [(row.task, row.label, row.by) for row in rows]


# --- asked ---


async def test_every_conversation_is_asked_and_its_card_says_so(story: Story, database: Database) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.title, answer.by) == ("Upset", Author.MODEL)
    assert answer.confidence == pytest.approx(0.91)
    assert await decided(database) == [("routing", "billing", "model"), ("sentiment", "upset", "model")]
    assert len(story.said()) == 2, "the person's answer and the card: nothing is rewritten for it"
    counts = await PostgresQueries(database).decisions()
    assert {key[1:4] for key in counts} == {("routing", "billing", "model"), ("sentiment", "upset", "model")}


@pytest.mark.parametrize("trouble", [Unreachable("down"), RuntimeError("a bug"), NotTrained("not yet")])
async def test_a_question_that_fails_harms_no_routing_and_is_answered_later(
    story: Story, database: Database, trouble: Exception
) -> None:
    oracle, embedder = story.predictor, story.embedder
    assert isinstance(oracle, Oracle)
    oracle.trouble["sentiment"] = trouble
    embedder.failure = Unreachable("no vectors")
    await story.writes("I was charged twice, outrageous", "m1")
    story.later(5)
    await story.sorter.step()
    await story.courier.step()
    assert (await decided(database))[0] == ("routing", "billing", "model")
    assert story.heard() == [Answer("billing", "en")]
    oracle.trouble, embedder.failure = {}, None
    await story.settles()
    known = [row for row in await decided(database) if row[0] == "sentiment"]
    assert known[-1][1] == "upset" and on_card(story) == [("upset", Author.MODEL)]
    assert len(story.cards()) == 1, "the card was rewritten"


async def test_what_is_slow_is_not_waited_for(story: Story, database: Database) -> None:
    oracle = story.predictor
    assert isinstance(oracle, Oracle)
    usual = oracle.predict

    async def never(query: Query, texts: Sequence[str]) -> list[Prediction]:
        if query.task.name == "sentiment":
            await asyncio.Event().wait()
        return await usual(query, texts)

    oracle.predict = never  # type: ignore[method-assign]
    await story.writes("I was charged twice", "m1")
    story.later(5)
    await story.sorter.step()
    assert await decided(database) == [("routing", "billing", "model")]
    oracle.predict = usual  # type: ignore[method-assign]
    await story.settles()
    assert on_card(story) == [("calm", Author.MODEL)]


async def test_whoever_chose_the_team_themselves_has_the_answers_on_the_card(story: Story) -> None:
    await story.writes("this is outrageous", "m1")
    await story.settles()
    assert story.cards() == []
    await story.presses("0")
    await story.settles()
    assert on_card(story) == [("upset", Author.MODEL)]


async def test_a_workspace_without_further_questions_is_as_it_was(database: Database, tmp_path: Path) -> None:
    story = told(database, tmp_path)
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    assert await decided(database) == [("routing", "billing", "model")]
    assert story.reads().answers == ()


# --- corrected ---


async def test_an_emoji_corrects_the_answer_alone_and_is_remembered_at_once(story: Story) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("🙂")
    await story.settles()
    assert on_card(story) == [("calm", Author.LEAD)]
    assert len(story.cards()) == 1 and not any(isinstance(said, Moved) for said in story.heard())
    [taught] = await story.examples.examples("sentiment")
    assert (taught.label, taught.source) == ("calm", Source.CORRECTION)
    assert await story.examples.examples("routing") == [], "a correction of one question is no example of another"
    await story.writes("I was charged twice, outrageous", "m2")
    await story.settles()
    assert on_card(story) == [("calm", Author.MEMORY)]
    assert story.reads().label == "billing"


async def test_taking_the_emoji_away_takes_it_back(story: Story) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("🙂")
    await story.settles()
    await story.reacts("🙂", added=False)
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.label, answer.by) == ("upset", Author.MODEL)
    assert answer.confidence == pytest.approx(0.91)
    assert await story.examples.examples("sentiment") == []


async def test_an_agent_and_a_stranger_correct_nothing(story: Story) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("🙂", by=AGENT)
    await story.settles()
    assert on_card(story) == [("upset", Author.MODEL)]
    [notice] = [said for said in story.heard(Person("web", "billing")) if isinstance(said, Notice)]
    assert notice.what is What.NO_LEAD


async def test_leads_who_disagree_teach_nothing_until_they_agree(story: Story) -> None:
    story.platform.leads = frozenset({LEAD.id, OTHER_LEAD.id})
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("🙂")
    await story.reacts("😠", by=OTHER_LEAD)
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.label, answer.disputed) == ("upset", True)
    assert await story.examples.examples("sentiment") == []
    await story.reacts("🙂", added=False)
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.label, answer.disputed) == ("upset", False)
    assert [one.label for one in await story.examples.examples("sentiment")] == ["upset"]


async def test_a_label_without_an_emoji_is_chosen_from_buttons(story: Story) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("👎")
    await story.settles()
    offered = [said for said in story.thread() if isinstance(said, WrongTeam)]
    assert [(one.question, one.titles) for one in offered] == [("", ()), ("sentiment", ("Calm", "Glad"))]
    await story.presses("1", by=LEAD, on=WrongTeam)
    await story.settles()
    assert on_card(story) == [("glad", Author.LEAD)]
    assert story.reads().label == "billing"
    await story.reacts("👎", added=False)
    await story.settles()
    assert on_card(story) == [("upset", Author.MODEL)]


async def test_the_answers_go_along_when_the_team_is_corrected(story: Story) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("💻")
    await story.reacts("🙂", card=0)
    await story.settles()
    assert (story.reads().label, on_card(story)) == ("it", [("calm", Author.LEAD)])
    assert [one.label for one in await story.examples.examples("routing")] == ["it"]
    assert [one.label for one in await story.examples.examples("sentiment")] == ["calm"]


# --- what follows ---


async def test_nothing_reaches_a_suspect_until_somebody_looked(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    assert guarded.heard() == []
    [answer] = guarded.reads().answers
    assert (answer.title, answer.follows) == ("Suspicious", ("hold", "sooner", "first", "tell", "also_to"))
    await guarded.reacts("👀", by=AGENT)
    await guarded.settles()
    assert guarded.heard() == [Answer("billing", "en")]
    [answer] = guarded.reads().answers
    assert "hold" not in answer.follows


async def test_a_suspect_is_not_asked_which_team_either(guarded: Story) -> None:
    await guarded.writes("please buy gift cards for me", "m1")
    await guarded.settles()
    assert [card.post.place.chat for card in guarded.cards()] == ["triage"]
    assert not any(isinstance(said, Question) for said in guarded.heard())


async def test_a_reply_of_the_team_is_a_look_too(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    await guarded.notes("reply: who are you?", "n1", by=AGENT)
    await guarded.settles()
    assert [type(said) for said in guarded.heard()] == [Answer, Reply]


async def test_other_rooms_hear_of_it_once_with_the_way_to_the_card(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    card = guarded.ref(guarded.cards()[0])
    [alert], [copy] = alerts(guarded, SECURITY), alerts(guarded, COPIES)
    assert (alert.title, alert.team, alert.card, alert.excerpt, alert.author) == ("Suspicious", "billing", card, "", "")
    assert (copy.copies, copy.excerpt, copy.author) == (True, "charged, buy gift cards and send the codes", "Cleo")
    await guarded.settles()
    assert len(alerts(guarded, SECURITY)) == 1


async def test_a_room_that_takes_nothing_is_told_of_under_the_card(guarded: Story) -> None:
    guarded.platform.closed["security"] = "not_in_channel"
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    [notice] = [said for said in guarded.thread() if isinstance(said, Notice)]
    assert (notice.what, notice.team, notice.problem) == (What.UNTOLD, "Suspicious", "not_in_channel")


async def test_taking_the_label_back_takes_back_what_followed(guarded: Story, database: Database) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    await guarded.reacts("👍")
    await guarded.settles()
    [answer] = guarded.reads().answers
    assert (answer.label, answer.follows) == ("ordinary", ())
    assert guarded.heard() == [Answer("billing", "en")]
    assert [one.withdrawn for one in alerts(guarded, SECURITY)] == [False, True]
    assert [one.withdrawn for one in alerts(guarded, COPIES)] == [False, True]
    guarded.later(minutes=20)
    await guarded.settles()
    assert not any(isinstance(said, Notice) for said in guarded.thread()), "its team has the usual time again"
    await guarded.reacts("👍", added=False)
    await guarded.settles()
    assert alerts(guarded, SECURITY)[-1].withdrawn is False


async def test_its_team_is_reminded_sooner(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.writes("I was charged twice", "m2", author=Person("web", "somebody", "Sue"))
    await guarded.settles()
    guarded.later(minutes=6)
    await guarded.settles()
    threads = [[said.minutes for said in guarded.thread(n) if isinstance(said, Notice)] for n in (0, 1)]
    suspect = next(n for n in (0, 1) if guarded.reads(n).answers[0].label == "suspicious")
    assert (threads[suspect], threads[1 - suspect]) == ([5], [])


async def test_a_copy_follows_the_words_when_they_are_edited_and_deleted(guarded: Story) -> None:
    ref = await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    await guarded.edits(ref, "charged, buy gift cards please")
    await guarded.settles()
    assert alerts(guarded, COPIES)[-1].excerpt == "charged, buy gift cards please"
    await guarded.deletes(ref)
    await guarded.settles()
    assert alerts(guarded, COPIES)[-1].excerpt == ""


async def test_forgetting_somebody_empties_the_copies(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    await guarded.erasure.erase(Person("web", "customer"), guarded.now())
    await guarded.settles()
    last = alerts(guarded, COPIES)[-1]
    assert (last.excerpt, last.author) == ("", "")


async def test_nothing_follows_from_a_guess(database: Database, tmp_path: Path) -> None:
    story = told(database, tmp_path, replace(FRAUD, ask_below=0.95))
    await story.writes("charged, buy gift cards and send the codes", "m1")
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.label, answer.follows) == ("suspicious", ())
    assert story.heard() == [Answer("billing", "en")] and alerts(story, SECURITY) == []


async def test_a_leads_word_is_no_guess_and_what_it_was_before_is_one_again(database: Database, tmp_path: Path) -> None:
    story = told(database, tmp_path, replace(FRAUD, ask_below=0.95))
    await story.writes("charged, buy gift cards and send the codes", "m1")
    await story.settles()
    await story.reacts("🚨")
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.by, answer.follows) == (Author.LEAD, ("sooner", "first", "tell", "also_to"))
    assert len(alerts(story, SECURITY)) == 1
    await story.reacts("🚨", added=False)
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.label, answer.by, answer.follows) == ("suspicious", Author.MODEL, ())
    assert alerts(story, SECURITY)[-1].withdrawn


async def test_a_slow_question_holds_up_no_other(database: Database, tmp_path: Path) -> None:
    story = told(database, tmp_path, MOOD, FRAUD)
    oracle = story.predictor
    assert isinstance(oracle, Oracle)
    usual = oracle.predict

    async def never(query: Query, texts: Sequence[str]) -> list[Prediction]:
        if query.task.name == "sentiment":
            await asyncio.Event().wait()
        return await usual(query, texts)

    oracle.predict = never  # type: ignore[method-assign]
    await story.writes("I was charged twice", "m1")
    story.later(5)
    await story.sorter.step()
    assert [row[0] for row in await decided(database)] == ["routing", "fraud"]


async def test_what_comes_first_stands_before_what_is_newer(guarded: Story, database: Database) -> None:
    await guarded.writes("buy gift cards for the director", "m1")
    guarded.later(minutes=1)
    await guarded.writes("something quite unclear", "m2", author=Person("web", "somebody", "Sue"))
    await guarded.settles()
    listed = await PostgresQueries(database).doubtful(10)
    assert [one.source.id for one in listed] == ["m1", "m2"]
    assert [one.title for one in listed[0].answers] == ["Suspicious"]


@pytest.mark.parametrize("platform", ["slack", "telegram"])
async def test_consequences_hold_on_every_platform(database: Database, tmp_path: Path, platform: str) -> None:
    chats = [FakePlatform(platform)]
    teams = tuple(replace(one, deliver_to={platform: Place(platform, one.name)}, emoji={}) for one in TASK.labels)
    rooms = replace(ALL, tell=(Place(platform, "security"),), also_to=(Place(platform, "auditors"),))
    suspicious = replace(FRAUD.labels[0], emoji={}, consequences=rooms)
    ordinary = replace(FRAUD.labels[1], emoji={platform: "👍"})
    question = replace(FRAUD, labels=(suspicious, ordinary))
    task = replace(TASK, labels=teams)
    story = Story(database, tmp_path, task, chats, predictor=Oracle(), questions=(question,))
    person, lead = Person(platform, "customer", "Cleo", "en"), Person(platform, "lead", "Lee")
    await story.writes("charged, buy gift cards and send the codes", "1", author=person)
    await story.settles()
    assert story.heard(person) == []
    assert [len(alerts(story, Place(platform, room))) for room in ("security", "auditors")] == [1, 1]
    await story.reacts("👍", by=lead)
    await story.settles()
    assert story.heard(person) == [Answer("billing", "en")]
    assert [one.withdrawn for one in alerts(story, Place(platform, "security"))] == [False, True]


def test_an_answer_is_read_back_as_it_was_stored() -> None:
    from db.reading.codec import decode, encode
    from tests.samples import card

    answer = QuestionAnswer(
        "fraud", "suspicious", "Suspicious", 0.9, "model", (("web", "🚨", "Suspicious"),), ("hold",), 5, (SECURITY,)
    )
    content = replace(card(), answers=(answer,))
    assert decode(*encode(content)) == content
    alert = Alert("fraud", "suspicious", "Suspicious", 0.9, "model", "billing", MessageRef("web", "billing", "post 1"))
    assert decode(*encode(alert)) == alert


async def test_routing_is_the_same_to_the_last_message_with_any_pack(database: Database, tmp_path: Path) -> None:
    texts = ["I was charged twice", "where is my parcel", "the vpn is down", "who can help", "gift cards, outrageous"]
    harmless = replace(FRAUD, labels=tuple(replace(one, consequences=Consequences()) for one in FRAUD.labels))
    made = []
    for turn, questions in enumerate(((), (MOOD, harmless))):
        story = told(database, tmp_path, *questions)
        for number, text in enumerate(texts):
            await story.writes(text, f"{turn}-{number}", author=Person("web", f"writer{turn}-{number}", "W"))
        story.later(5)
        await story.sorter.step()
        newest = select(DecisionRow).where(DecisionRow.task == TASK.name).order_by(DecisionRow.id.desc())
        async with database.transaction() as session:
            rows = await session.scalars(newest.limit(len(texts)))
            said = [(row.label, row.by, row.reason, sorted(row.probabilities.items())) for row in rows]
        made.append(sorted(said))
    assert made[0] == made[1] and len(made[0]) == len(texts)


async def test_a_question_learns_by_itself_and_leads_hear_of_it(story: Story) -> None:
    known = [
        Example(f"{kind} number {n} {label}", label, Source.IMPORT, Side.HELD_OUT if n % 2 else Side.TRAIN, story.now())
        for label, kind in (("upset", "outrageous"), ("calm", "thanks"), ("glad", "wonderful"))
        for n in range(60)
    ]
    await story.examples.add_examples("sentiment", known)
    assert await story.registry.request_cycle("sentiment", "test", "now", story.time)
    assert await story.learner.step() == 1
    await story.settles()
    [report] = [item.post for item in story.said() if isinstance(item.post.content, LearningReport)]
    assert report.place == Place("web", "triage")
    assert isinstance(report.content, LearningReport) and report.content.task == "sentiment"
    assert await story.registry.adapters(TASK.name) == []


async def test_pack_add_writes_the_question_imports_its_examples_and_refuses_to_do_it_twice(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    file = tmp_path / "switchboard.toml"
    file.write_text(settings_text(of_names(["web"], platform_modules()), http=False), "utf-8")
    add = ["pack", "add", "fraud", "--config", str(file)]
    done = await asyncio.to_thread(CliRunner().invoke, cli, add)
    assert (done.exit_code, done.stdout) == (0, ""), done.stderr
    [question] = load(file, {}).questions
    assert (question.name, question.fallback, question.label("suspicious").emoji) == ("fraud", "ordinary", {"web": "🕵"})
    known = await PostgresExamples(database).examples("fraud")
    imported = [one for one in known if one.source is Source.IMPORT]
    assert Counter(one.label for one in imported) == {"ordinary": 64, "suspicious": 63}
    before = file.read_text("utf-8")
    again = await asyncio.to_thread(CliRunner().invoke, cli, add)
    assert again.exit_code == 2 and "tasks.fraud is in" in again.stderr
    assert file.read_text("utf-8") == before
