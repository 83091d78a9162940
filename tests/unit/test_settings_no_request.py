"""`conversation.not_a_request`: a label of the bot's own, and emoji that must not mean two things."""

from pathlib import Path

import pytest

from bot.domain.rules import Outcome
from bot.domain.tasks import NOT_A_REQUEST
from bot.settings import load
from tests.unit.test_settings import GOOD, mistakes, talking, write


def test_it_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD), {})
    assert not settings.routing.knows_no_request
    assert settings.vocabulary.no_request["slack"] == "no_entry_sign"


@pytest.mark.parametrize(("said", "kind"), [("silent", False), ("reply", True)])
def test_switched_on_it_is_a_label_without_a_room(tmp_path: Path, said: str, kind: bool) -> None:
    task = load(talking(tmp_path, f'not_a_request = "{said}"'), {}).routing
    label = task.label(NOT_A_REQUEST)
    assert task.kind_word is kind
    assert (label.title, label.emoji["web"], dict(label.deliver_to)) == ("Not a request", "🚫", {})
    assert task.address(NOT_A_REQUEST, "web") is None
    assert "FYI: the office closes at three on Friday" in label.examples
    assert any(text.startswith("Aviso:") for text in label.examples)
    assert not any("Lembrete" in text for text in label.examples)
    assert task.names[:2] == ("billing", "triage")


def test_a_rule_may_decide_it_where_it_is_on(tmp_path: Path) -> None:
    rule = '[[rules]]\nwords = ["FYI"]\nnot_a_request = true\n'
    assert "rules[1].not_a_request: conversation.not_a_request is off" in mistakes(tmp_path, GOOD + rule)
    on = GOOD.replace("[platforms.web]", 'not_a_request = "silent"\n[platforms.web]') + rule
    assert load(write(tmp_path, on), {}).rules.rules[0].then == Outcome("routing", NOT_A_REQUEST)


def test_nobody_else_may_be_called_so(tmp_path: Path) -> None:
    text = GOOD.replace("labels.billing]", "labels.not_a_request]")
    assert "tasks.routing.labels.not_a_request: this name is the bot's own" in mistakes(tmp_path, text)


def test_an_unknown_word_for_it_is_named(tmp_path: Path) -> None:
    text = GOOD.replace("[platforms.web]", 'not_a_request = "maybe"\n[platforms.web]')
    assert "conversation.not_a_request: 'maybe' is no choice; choose from off, reply, silent" in mistakes(
        tmp_path, text
    )


def test_an_emoji_that_a_team_has_already_is_refused_where_it_was_written_and_else_gives_way(tmp_path: Path) -> None:
    text = GOOD + '[conversation.emoji]\nno_request = { web = "💰" }\n'
    assert "conversation.emoji.no_request.web: 💰 already means billing" in mistakes(tmp_path, text)
    settings = load(write(tmp_path, GOOD.replace('web = "💰"', 'web = "🚫"')), {})
    assert "web" not in settings.vocabulary.no_request
    assert settings.vocabulary.request["slack"] == "ticket"
    text = GOOD + '[conversation.emoji]\nrequest = { web = "👀" }\n'
    assert "conversation.emoji.request.web: 👀 already means take" in mistakes(tmp_path, text)
