"""A process's metrics of its calls to the model server, and of the voices in its decisions."""

from bot.domain.decisions import Author, Heard, NoPrediction, Opinion
from bot.domain.model_calls import CallKind, ModelCall
from bot.http.metrics import Metrics
from bot.http.model_figures import ModelFigures
from tests.fakes_failed_items import FakeFailedItems
from tests.samples import NOW
from tests.unit.http.test_metrics import Figures, told

MIXED = (Heard("adapter", "billing", 0.9, 0.3), Heard("words", "billing", 0.8, 0.2))


async def test_calls_are_counted_by_their_kind_and_so_are_those_that_failed_and_their_tokens() -> None:
    figures = ModelFigures()
    figures.saw(ModelCall(CallKind.QUESTION, 0.02, failed=False, sent=40, answered=2))
    figures.saw(ModelCall(CallKind.QUESTION, 3.0, failed=True))
    figures.saw(ModelCall(CallKind.LOAD, 0.2, failed=False))
    found = await told(Metrics(Figures(), lambda: NOW, FakeFailedItems(), more=[figures]))
    assert found["switchboard_model_call_seconds_count question"] == 2
    assert found["switchboard_model_call_seconds_sum question"] == 3.02
    assert found["switchboard_model_call_errors_total question"] == 1
    assert found["switchboard_model_call_seconds_count load_adapter"] == 1
    assert found["switchboard_model_call_errors_total patient_question"] == 0, "an alarm on a rise sees the zero"
    assert (found["switchboard_model_tokens_total prompt"], found["switchboard_model_tokens_total answer"]) == (40, 2)


async def test_each_voice_that_says_something_is_counted_text_by_text() -> None:
    figures = ModelFigures()
    mixture = Opinion(Author.MODEL, {"billing": 1.0}, parts=MIXED)
    memory, silent = Opinion(Author.MEMORY, {"billing": 1.0}), NoPrediction()
    figures.heard("routing", [[mixture, Opinion(Author.MODEL, {"it": 1.0}), silent], [memory, silent, silent]])
    found = await told(Metrics(Figures(), lambda: NOW, FakeFailedItems(), more=[figures]))
    said = {name: value for name, value in found.items() if name.startswith("switchboard_voices_total")}
    assert said == {
        "switchboard_voices_total routing adapter": 2,
        "switchboard_voices_total routing words": 1,
        "switchboard_voices_total routing memory": 1,
    }
    assert found["switchboard_voices_asked_total routing"] == 3


async def test_each_model_server_is_up_as_long_as_it_answers() -> None:
    servers = {"gpu-1:8000": True, "gpu-2:8000": False}

    async def answering() -> dict[str, bool]:
        return servers

    found = await told(Metrics(Figures(), lambda: NOW, FakeFailedItems(), answering=answering))
    assert (found["switchboard_model_up gpu-1:8000"], found["switchboard_model_up gpu-2:8000"]) == (1, 0)
