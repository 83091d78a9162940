"""The log lines of a conversation can be followed from its first message to its last post."""

import logging

import pytest

from tests.samples import AGENT
from tests.worlds.story import Story

_FACTS = {"received", "reaction", "noted", "edited", "press"}
"""Log lines about incoming facts also have the platform's own id."""


async def test_every_line_names_its_conversation_and_the_decision_its_message(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ref = await story.writes("I was charged twice", "1")
    await story.settles()
    await story.edits(ref, "I was charged three times")
    await story.reacts("💻")
    await story.notes("I know this one", "n1", by=AGENT)
    await story.settles()
    lines = [record for record in caplog.records if record.name.startswith("bot.flow")]
    facts = [line for line in lines if line.message in _FACTS]
    rest = [line for line in lines if line.message not in _FACTS]
    [decided] = [line for line in rest if line.message == "sorted"]
    assert {(line.message, line.__dict__["chat"], line.__dict__["ref"]) for line in facts} >= {
        ("received", ref.chat, ref.id)
    }
    assert (decided.__dict__["chat"], decided.__dict__["ref"]) == (ref.chat, ref.id)
    assert {line.message for line in rest} >= {"sorted", "delivered", "corrected"}
    assert {line.message for line in facts} == {"received", "edited", "reaction", "noted"}
    assert {line.__dict__["conversation"] for line in lines} == {decided.__dict__["conversation"]}
    assert "charged" not in caplog.text and "Cleo" not in caplog.text
