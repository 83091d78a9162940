"""The model and the linear voices give one opinion, which names the voices in it."""

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.domain.decisions import Author, Decision, NoPrediction, Opinion, Reason, decide
from bot.domain.embedders import USE
from bot.domain.errors import NotTrained, Refused, Unreachable
from bot.domain.learning import text_key
from bot.domain.memory_vote import Neighbour, Neighbours
from bot.domain.mixture import ADAPTER, NEIGHBOURS, VECTORS, WORDS, Mixture
from bot.domain.model_ports import Query, Said
from bot.flow.classify import Classifier, Considered
from tests.fakes import FakeEmbedder, FakePredictor, fake_classifier
from tests.fakes_voices import FakeVoices
from tests.samples import TASK

IT = {name: 0.97 if name == "it" else 0.01 for name in TASK.names}
BILLING = {name: 0.97 if name == "billing" else 0.01 for name in TASK.names}
SURE_OF_IT: Said = {WORDS: IT, VECTORS: IT}
NOTHING = Neighbours()


def classifier(said: Said, predictor: FakePredictor | None = None, found: Neighbours = NOTHING) -> Classifier:
    return replace(fake_classifier(found, predictor), fitted=FakeVoices(said))


async def considered(one: Classifier, text: str = "I was charged twice", **query: object) -> Considered:
    asked = replace(await one.query(TASK), **query)  # type: ignore[arg-type]
    [known] = await one.consider(asked, [text])
    return known


async def decided(one: Classifier, text: str = "I was charged twice", **query: object) -> Decision:
    return decide(TASK, (await considered(one, text, **query)).opinions, may_ask=True)


async def serving(one: Classifier, mixture: Mixture | None = None, labels: tuple[str, ...] = TASK.names) -> Query:
    query = await one.query(TASK)
    assert query.adapter is not None
    codes = dict.fromkeys(labels, "A")
    return replace(query, adapter=replace(query.adapter, codes=codes, mixture=mixture or Mixture()))


async def test_two_sure_voices_outweigh_a_model_that_is_less_sure() -> None:
    one = classifier(SURE_OF_IT)
    made = await decided(one, adapter=(await serving(one)).adapter)
    assert (made.label, made.by, made.adapter) == ("it", Author.MODEL, "routing-1")
    assert [heard.voice for heard in made.voices] == [VECTORS, ADAPTER, WORDS]
    assert [heard.label for heard in made.voices] == ["it", "billing", "it"]
    assert sum(heard.weight for heard in made.voices) == pytest.approx(1.0, abs=0.001)


async def test_the_weights_stored_with_the_adapter_count() -> None:
    one = classifier(SURE_OF_IT)
    loud = Mixture({ADAPTER: 2.0, WORDS: 0.1, VECTORS: 0.1})
    assert (await decided(one, adapter=(await serving(one, loud)).adapter)).label == "billing"


async def test_an_adapter_without_weight_is_neither_asked_nor_the_author() -> None:
    predictor = FakePredictor()
    predictor.failure = Unreachable("nobody may ask")
    one = classifier(SURE_OF_IT, predictor)
    mute = Mixture({ADAPTER: 0.0, WORDS: 0.5, VECTORS: 0.5})
    made = await decided(one, adapter=(await serving(one, mute)).adapter)
    assert (made.label, made.by, made.reason, made.adapter) == ("it", Author.EXAMPLES, Reason.CONFIDENT, None)


async def test_without_anybody_else_an_adapter_without_weight_is_asked_all_the_same() -> None:
    one = classifier({})
    mute = Mixture({ADAPTER: 0.0})
    assert (await decided(one, adapter=(await serving(one, mute)).adapter)).by is Author.MODEL


async def test_a_voice_without_weight_is_not_asked() -> None:
    voices = FakeVoices(SURE_OF_IT)
    one = replace(fake_classifier(NOTHING), fitted=voices)
    await decided(one, adapter=(await serving(one, Mixture({ADAPTER: 1.0, WORDS: 0.0}, {WORDS: 0.0}))).adapter)
    assert WORDS in voices.asked[0]  # without the adapter, as the voices were fitted last, it has a weight
    voices.loud_without = {WORDS: 0.0}
    await decided(one, adapter=(await serving(one, Mixture({ADAPTER: 1.0, WORDS: 0.0}))).adapter)
    assert voices.asked[1] == {VECTORS, NEIGHBOURS}


@pytest.mark.parametrize("failure", [Unreachable("no connection"), Refused("unknown adapter")])
async def test_with_the_model_down_the_others_decide_and_say_so(failure: Unreachable | Refused) -> None:
    predictor = FakePredictor()
    predictor.failure = failure
    known = await considered(classifier(SURE_OF_IT, predictor))
    made = decide(TASK, known.opinions, may_ask=True)
    assert (made.label, made.by, made.reason, made.adapter) == ("it", Author.EXAMPLES, Reason.MODEL_DOWN, None)
    assert [heard.voice for heard in made.voices] == [VECTORS, WORDS]
    assert known.silent, "no verdict rests on what the others say alone"
    assert known.model == NoPrediction(Reason.MODEL_DOWN)


async def test_before_any_training_the_examples_decide() -> None:
    predictor = FakePredictor()
    predictor.failure = NotTrained("the starter answers nothing before it was trained")
    known = await considered(classifier(SURE_OF_IT, predictor), adapter=None)
    made = decide(TASK, known.opinions, may_ask=True)
    assert (made.label, made.by, made.reason) == ("it", Author.EXAMPLES, Reason.NOT_TRAINED)
    assert not known.silent


async def test_a_team_that_the_adapter_never_learned_is_decided_by_its_examples() -> None:
    """The adapter is sure of a team that it knows; it has never learned the other."""
    one = classifier(SURE_OF_IT)
    older = await serving(one, labels=tuple(name for name in TASK.names if name != "it"))
    assert (await decided(one, adapter=older.adapter)).label == "it"


async def test_voices_that_were_never_fitted_leave_the_model_as_it_was() -> None:
    with_voices, alone = classifier({}), fake_classifier(NOTHING)
    assert await decided(with_voices) == await decided(alone)


async def test_a_corrected_text_still_decides_by_itself() -> None:
    exact = Neighbours(corrections=(Neighbour(1, "delivery", 1.0, same_text=True),))
    one = classifier(SURE_OF_IT, found=exact)
    made = await decided(one, adapter=(await serving(one)).adapter)
    assert (made.label, made.by) == ("delivery", Author.MEMORY)


async def test_voices_that_disagree_ask_the_person() -> None:
    predictor = FakePredictor(lambda _text: None)
    one = classifier({WORDS: IT, VECTORS: BILLING}, predictor)
    even = Mixture({ADAPTER: 0.2, WORDS: 0.4, VECTORS: 0.4})
    made = await decided(one, adapter=(await serving(one, even)).adapter)
    assert made.reason is Reason.UNSURE
    assert {"it", "billing"} <= set(made.candidates)


async def test_a_team_that_came_after_the_adapter_is_found_by_its_few_examples() -> None:
    voices = FakeVoices({WORDS: {"billing": 0.6, "it": 0.2, "delivery": 0.2}, VECTORS: {"billing": 0.5, "it": 0.5}})
    voices.counted = {"billing": 200, "delivery": 5, "it": 200}
    one = replace(fake_classifier(NOTHING), fitted=voices)
    old = tuple(name for name in TASK.names if name != "delivery")
    assert (await decided(one, adapter=(await serving(one)).adapter)).label == "billing"
    assert (await decided(one, adapter=(await serving(one, labels=old)).adapter)).label == "delivery"


# --- texts that the model cannot read ---

FAR = Neighbours(anchors=(Neighbour(1, "billing", 0.2),))
KIN = Neighbours(anchors=(Neighbour(1, "billing", 0.8),))


async def test_a_text_that_the_model_cannot_read_is_not_put_to_it() -> None:
    predictor = FakePredictor()
    one = classifier(SURE_OF_IT, predictor, KIN)
    query = await serving(one)
    [unread, read] = await one.consider(query, ["мой счёт", "I was charged twice"])
    assert unread.model == NoPrediction(Reason.NOT_READ)
    made = decide(TASK, unread.opinions, may_ask=True)
    assert (made.label, made.by, made.reason, made.adapter) == ("it", Author.EXAMPLES, Reason.NOT_READ, None)
    assert ADAPTER not in {heard.voice for heard in made.voices}
    assert decide(TASK, read.opinions, may_ask=True).adapter == "routing-1"
    assert not unread.silent, "a verdict may rest on it: so it is decided in service, too"


async def test_where_only_the_vector_speaks_and_nothing_known_is_near_nobody_read_it() -> None:
    one = classifier({VECTORS: IT}, found=FAR)
    made = await decided(one, "मेरा बिल", adapter=(await serving(one)).adapter)
    assert (made.label, made.reason, made.candidates) == ("triage", Reason.UNREADABLE, ())


async def test_where_words_of_it_are_known_the_person_is_asked_as_ever() -> None:
    one = classifier({WORDS: IT}, found=FAR)
    made = await decided(one, "मेरा बिल", adapter=(await serving(one)).adapter)
    assert (made.by, made.reason, made.candidates[0]) == (Author.EXAMPLES, Reason.UNSURE, "it")


ABROAD = "mein Laptop geht nicht"
FOREIGN: Said = {WORDS: BILLING, VECTORS: IT, NEIGHBOURS: IT}
"""Voices that depend on words choose another label, and so does the adapter."""


def abroad(
    said: Said = FOREIGN, embedder: str = USE, base_crosses: bool = False, taught: Mapping[str, float] | None = None
) -> Classifier:
    """Voices that learned in English are asked in German."""
    predictor = FakePredictor(lambda _text: "billing")
    predictor.everywhere = base_crosses
    one = replace(fake_classifier(NOTHING, predictor), embedder=FakeEmbedder(embedder), language_of=lambda _: "de")
    return replace(one, fitted=FakeVoices(said, languages={"en": 0.99, "de": 0.01} if taught is None else taught))


async def heard_in(one: Classifier) -> tuple[str, Author, set[str]]:
    made = await decided(one, ABROAD, adapter=(await serving(one)).adapter)
    return made.label, made.by, {heard.voice for heard in made.voices}


async def test_in_a_language_that_nobody_taught_those_speak_who_go_by_what_it_means() -> None:
    assert await heard_in(abroad()) == ("it", Author.EXAMPLES, {VECTORS, NEIGHBOURS})


async def test_a_base_that_brings_languages_together_speaks_there_too() -> None:
    assert (await heard_in(abroad(base_crosses=True)))[1:] == (Author.MODEL, {ADAPTER, VECTORS, NEIGHBOURS})


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(abroad(taught={"en": 0.9, "de": 0.1}), id="it was taught"),
        pytest.param(abroad(taught={}), id="nobody knows what was taught"),
        pytest.param(replace(abroad(), language_of=lambda _: None), id="nobody knows the language"),
        pytest.param(abroad(embedder="all-MiniLM-L6-v2"), id="the encoder does not read it"),
    ],
)
async def test_all_voices_speak_where(one: Classifier) -> None:
    assert (await heard_in(one))[1:] == (Author.MODEL, {ADAPTER, WORDS, VECTORS, NEIGHBOURS})


async def test_where_only_words_are_heard_they_are_better_than_nobody() -> None:
    assert (await heard_in(abroad({WORDS: BILLING})))[2] == {ADAPTER, WORDS}


async def test_a_text_that_the_voices_have_learned_is_hidden_from_them_where_it_is_scored() -> None:
    """In service they may know it."""
    unheard: Said = {WORDS: BILLING, VECTORS: BILLING}
    voices = FakeVoices(SURE_OF_IT, unheard={text_key("I was charged twice"): unheard})
    one = replace(fake_classifier(NOTHING), fitted=voices)
    query = replace(await one.query(TASK), adapter=None)
    texts = ["I was charged twice!", "I was charged once"]
    scored, served = [
        [decide(TASK, known.opinions, may_ask=False).voices for known in await one.consider(query, texts, hidden)]
        for hidden in (True, False)
    ]
    said = [[{heard.label for heard in of if heard.voice != ADAPTER} for of in way] for way in (scored, served)]
    assert said == [[{"billing"}, {"it"}], [{"it"}, {"it"}]]


@pytest.mark.parametrize(("examples", "head_start"), [(4, math.exp(0.20 / 0.06)), (5, 1.0)])
async def test_corrections_of_a_team_that_the_voices_know_have_no_head_start(examples: int, head_start: float) -> None:
    """Whether or not the adapter knows it, and where there is none."""
    near = Neighbours((Neighbour(42, "it", 0.8),), (Neighbour(1, "billing", 0.8),))
    one = replace(fake_classifier(near), fitted=FakeVoices(SURE_OF_IT, counted={"it": examples}))
    served = await serving(one)
    for adapter in (None, served.adapter, (await serving(one, labels=("billing",))).adapter):
        [known] = await one.consider(replace(served, adapter=adapter), ["my charger is gone"])
        [memory] = [said for said in known.opinions if isinstance(said, Opinion) and said.author is Author.MEMORY]
        assert memory.weight == pytest.approx(head_start)
