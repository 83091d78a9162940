"""The whole story on a real database: routed, corrected with one emoji, remembered at once, withdrawn, learned."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.decisions import Author, Reason
from bot.domain.errors import NotTrained, Refused, Unreachable
from bot.domain.learning import Example, Phase, Side, Source
from bot.domain.messages import Message, MessageRef, Person, Place
from bot.domain.posts import OTHER, Answer, Card, FollowUp, Moved, Question, WordsPlease
from bot.domain.report_posts import LearningReport
from bot.domain.tasks import Learning
from tests.samples import CUSTOMER, NOW, TASK
from tests.worlds.story import Story

STRANGER = Person("web", "stranger", "Sam")
OTHER_LEAD = Person("web", "lead2", "Lou")
VPN = "the thingy for working from home does not connect"


def card(story: Story, position: int = -1) -> Card:
    content = story.cards()[position].post.content
    assert isinstance(content, Card)
    return content


async def test_a_message_is_answered_and_carded_once(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.settles()
    assert story.heard() == [Answer("billing", "en")]
    assert [(c.post.place.chat, card(story).excerpt) for c in story.cards()] == [("billing", "I was charged twice")]


async def test_nothing_is_said_before_the_person_has_finished(story: Story) -> None:
    await story.writes("I was", "m1")
    await story.sorter.step()
    story.later(2)
    await story.writes("charged twice", "m2")
    await story.sorter.step()
    assert story.predictor.asked == 0
    await story.settles()
    assert card(story).excerpt == "I was\ncharged twice"
    assert len(story.cards()) == 1


async def test_a_leads_emoji_moves_teaches_and_is_remembered(story: Story) -> None:
    await story.writes(f"{VPN}, charged", "m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    assert story.cards()[-1].post.place == Place("web", "it")
    struck = next(o for o in story.platform.said if o.edits is not None)
    assert isinstance(struck.post.content, Card)
    assert struck.post.content.moved_to == "it"
    assert story.heard()[-1] == Moved("it", "en")
    await story.writes(f"{VPN} again, charged", "m2")
    await story.settles()
    assert card(story).label == "it"
    assert card(story).by == Author.MEMORY
    assert story.heard()[-1] == Answer("it", "en", remembered=True)


async def test_words_whose_correction_waits_for_a_second_lead_are_asked_until_it_is_settled(story: Story) -> None:
    story.platform.leads = frozenset({"lead", "lead2"})
    await story.writes(f"{VPN}, charged", "m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    await story.reacts("📦", by=OTHER_LEAD)
    await story.settles()
    assert story.reads().disputed
    await story.writes(f"{VPN}, charged", "m2")
    await story.settles()
    question = story.newest(Question).post.content
    assert isinstance(question, Question)
    assert question.candidates[:2] == ("billing", "delivery"), "as the model says, and as the last lead said"
    await story.reacts("📦", added=False, by=OTHER_LEAD, card=-2)
    await story.settles()
    await story.writes(f"{VPN}, charged", "m3")
    await story.settles()
    assert card(story).label == "it"


async def test_taking_the_emoji_away_withdraws_all_of_it(story: Story) -> None:
    await story.writes(f"{VPN}, charged", "m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    await story.reacts("💻", added=False, card=0)
    await story.settles()
    assert story.cards()[-1].post.place == Place("web", "billing")
    assert card(story).reason == Reason.WITHDRAWN
    await story.writes(f"{VPN} again, charged", "m2")
    await story.settles()
    assert (card(story).label, card(story).by) == ("billing", Author.MODEL)


async def test_a_strangers_emoji_changes_nothing(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("💻", by=STRANGER)
    await story.settles()
    assert len(story.cards()) == 1
    assert await story.examples.waiting_corrections("routing") == 0


async def test_an_emoji_that_means_nothing_here_changes_nothing(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("👀")
    await story.settles()
    assert len(story.cards()) == 1


async def test_the_same_correction_twice_moves_once(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    assert [o.post.place.chat for o in story.cards()] == ["billing", "it"]


async def test_two_leads_who_disagree_route_by_the_last_and_teach_nothing(story: Story) -> None:
    story.platform.leads = frozenset({"lead", "lead2"})
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("💻")
    await story.reacts("📦", by=OTHER_LEAD)
    await story.settles()
    assert [o.post.place.chat for o in story.cards()] == ["billing", "delivery"]
    learnable = [e for e in await story.examples.examples("routing") if e.source is Source.CORRECTION]
    assert learnable == []


async def test_naming_the_team_it_has_confirms_instead_of_correcting(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("💰")
    await story.settles()
    assert len(story.cards()) == 1
    assert [e.source for e in await story.examples.examples("routing")] == [Source.CONFIRMATION]
    assert await story.examples.waiting_corrections("routing") == 0


async def test_who_is_unsure_asks_once_and_the_tap_decides(story: Story) -> None:
    await story.writes("it is broken", "m1")
    await story.settles()
    [question] = story.heard()
    assert isinstance(question, Question)
    assert story.cards() == []
    await story.presses("1")
    await story.presses("1")
    await story.settles()
    await story.settles()
    assert [card(story).label] == [question.candidates[1]]
    assert len(story.cards()) == 1
    assert card(story).by == Author.PERSON
    assert story.heard()[-1] == Question((), "en", answered=question.candidates[1], chosen=True)
    assert await story.examples.examples("routing") == [], "only its person's word, until a lead confirms it"


async def test_something_else_goes_to_the_fallback_team_and_teaches_nothing(story: Story) -> None:
    await story.writes("it is broken", "m1")
    await story.settles()
    await story.presses(OTHER)
    await story.settles()
    assert (card(story).label, card(story).by) == ("triage", Author.FALLBACK)
    assert await story.examples.examples("routing") == []


@pytest.mark.parametrize(("value", "by"), [("1", STRANGER), ("9", CUSTOMER), ("-1", CUSTOMER), ("billing", CUSTOMER)])
async def test_a_strangers_or_a_forged_press_decides_nothing(story: Story, value: str, by: Person) -> None:
    await story.writes("it is broken", "m1")
    await story.settles()
    await story.presses(value, by)
    await story.settles()
    assert story.cards() == []


async def test_a_question_nobody_answers_goes_to_the_fallback_team(story: Story) -> None:
    await story.writes("it is broken", "m1")
    await story.settles()
    story.later(601)
    await story.settles()
    assert (card(story).label, card(story).reason) == ("triage", Reason.NO_ANSWER)


async def test_more_words_instead_of_a_tap_are_sorted_without_asking_again(story: Story) -> None:
    await story.writes("it is broken", "m1")
    await story.settles()
    at = story.time
    reply = MessageRef("web", "customer", "m2")
    await story.inbox.message(Message(reply, Place("web", "customer", "m1"), CUSTOMER, "my laptop", at))
    await story.settles()
    assert card(story).label == "it"
    assert sum(isinstance(c, Question) and c.answered is None for c in story.heard()) == 1


async def test_a_greeting_is_asked_for_words_once_and_joined_with_what_follows(story: Story) -> None:
    await story.writes("hi", "m1")
    await story.settles()
    await story.settles()
    assert story.heard() == [WordsPlease("en")]
    reply = MessageRef("web", "customer", "m2")
    await story.inbox.message(Message(reply, Place("web", "customer", "m1"), CUSTOMER, "my parcel is late", story.time))
    await story.settles()
    assert card(story).excerpt == "my parcel is late"


async def test_the_next_words_go_under_the_card_and_are_not_routed_again(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    reply = MessageRef("web", "customer", "m2")
    await story.inbox.message(Message(reply, Place("web", "customer", "m1"), CUSTOMER, "my parcel too", story.time))
    await story.settles()
    last = story.platform.said[-1]
    assert last.post.content == FollowUp("Cleo", "my parcel too")
    assert last.under == MessageRef("web", "billing", f"post {story.cards()[0].id}")
    assert len(story.cards()) == 1


async def test_with_the_model_down_the_fallback_decides_and_nothing_is_lost(story: Story) -> None:
    story.predictor.failure = Unreachable("vllm: no connection")
    await story.writes("I was charged twice", "m1")
    await story.settles()
    assert (card(story).label, card(story).by, card(story).reason) == ("triage", Author.FALLBACK, Reason.MODEL_DOWN)
    assert story.heard() == [Answer("triage", "en", undecided=True)]


async def test_with_model_and_embedder_down_it_still_answers(story: Story) -> None:
    story.predictor.failure = Unreachable("vllm: no connection")
    story.embedder.failure = Unreachable("embeddings: no connection")
    await story.writes("I was charged twice", "m1")
    await story.settles()
    assert card(story).label == "triage"


async def test_before_any_training_known_examples_decide(story: Story) -> None:
    story.predictor.failure = NotTrained("the starter answers nothing before it was trained for the task")
    known = Example("my laptop is slow", "it", Source.SEED, Side.TRAIN, NOW)
    await story.examples.add_examples("routing", [known])
    await story.embedding_backfill.step()
    await story.writes("my laptop is very slow", "m1")
    await story.settles()
    assert (card(story).label, card(story).by, card(story).reason) == ("it", Author.MEMORY, Reason.NOT_TRAINED)


async def test_a_busy_chat_is_said_later_and_once(story: Story) -> None:
    story.platform.failures = [Unreachable("slow down", retry_after=timedelta(seconds=30))]
    await story.writes("I was charged twice", "m1")
    await story.settles()
    assert len(story.platform.said) == 1
    story.later(31)
    await story.settles()
    assert sorted(type(o.post.content).__name__ for o in story.platform.said) == ["Answer", "Card"]


async def test_a_refused_post_is_given_up_and_holds_up_nothing(story: Story) -> None:
    story.platform.failures = [Refused("channel_not_found")]
    await story.writes("I was charged twice", "m1")
    await story.settles()
    story.later(60)
    await story.settles()
    assert [type(o.post.content).__name__ for o in story.platform.said] == ["Card", "Notice"]


# --- learning ---


def company(count: int = 60) -> list[Example]:
    """Messages that the first model gets right, except those about a vpn."""
    words = {"billing": "charged", "delivery": "parcel", "it": "tunnel", "triage": "weather"}
    return [
        Example(f"{word} number {n} {label}", label, Source.IMPORT, Side.HELD_OUT if n % 2 else Side.TRAIN, NOW)
        for label, word in words.items()
        for n in range(count)
    ]


def perfect(text: str) -> str | None:
    return text.split()[-1]


def only_charges(text: str) -> str | None:
    return "billing" if "charged" in text else "delivery"


async def cycle(story: Story) -> None:
    assert await story.registry.request_cycle("routing", "test", str(story.time), story.time)
    assert await story.learner.step() == 1
    story.later(1)


async def test_the_first_model_serves_when_it_beats_what_served_without_it_and_leads_hear_of_it(story: Story) -> None:
    story.predictor.rules |= {None: only_charges, "routing-1": perfect}
    await story.examples.add_examples("routing", company())
    await cycle(story)
    champion = await story.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.name == "routing-1"
    await story.settles()
    report = story.platform.said[-1].post.content
    assert isinstance(report, LearningReport)
    assert report.promoted


async def test_a_better_candidate_takes_over_and_rollback_takes_it_back(story: Story) -> None:
    story.predictor.rules |= {"routing-1": only_charges, "routing-2": perfect}
    await story.examples.add_examples("routing", company())
    await cycle(story)
    await story.registry.promote("routing", "routing-1", "test", "by hand", story.time, base="starter")
    await cycle(story)
    champion = await story.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.name == "routing-2"
    await story.registry.rollback("routing", "test", story.time, base="starter")
    champion = await story.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.name == "routing-1"


async def test_a_worse_candidate_does_not_serve_and_is_unloaded(story: Story) -> None:
    story.predictor.rules |= {None: only_charges, "routing-1": perfect, "routing-2": lambda _text: "billing"}
    await story.examples.add_examples("routing", company())
    await cycle(story)
    await cycle(story)
    champion = await story.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.name == "routing-1"
    [newest, _] = await story.registry.cycles("routing", 10)
    assert newest.verdict is not None
    assert not newest.verdict.promoted
    assert newest.verdict.reasons


async def test_nothing_held_out_is_ever_trained_on(story: Story) -> None:
    await story.examples.add_examples("routing", company())
    await cycle(story)
    [run] = story.trainer.runs
    assert {e.side for e in run.examples} == {Side.TRAIN}


async def test_too_little_to_learn_from_is_said_and_harms_nothing(story: Story) -> None:
    await cycle(story)
    [newest] = await story.registry.cycles("routing", 10)
    assert newest.phase is Phase.FAILED
    assert "switchboard import" in newest.problem
    await cycle(story)


async def test_the_schedule_learns_only_when_enough_corrections_wait(story: Story) -> None:
    eager = replace(TASK, learning=Learning(min_corrections=1))
    assert not await story.learner.due(eager, "2026-11-23T03:00Z")
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    assert await story.learner.due(eager, "2026-11-23T03:00Z")
    assert not await story.learner.due(eager, "2026-11-23T03:00Z")
