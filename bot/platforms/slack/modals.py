"""The forms that open in Slack. Pure."""

import json
from collections.abc import Mapping, Sequence

from bot.domain.tasks import Task
from bot.platforms.slack.blocks import Block, cut, escaped, menu, option, section
from bot.platforms.slack.interactions import FIELD, LET_IT_DECIDE, REPLY_FORM, ROUTE_FORM
from bot.platforms.slack.locales import sentence

_NOTES = 3_000
"""The most characters that Slack keeps for us with a form."""
_TITLE, _LONGEST_REPLY = 24, 3_000

Notes = Mapping[str, str]


def route_form(task: Task, language: str, notes: Notes, *, lead: bool, known: bool) -> Block:
    """The form "which team?". Only a lead chooses one; a message that is a request already can only be moved."""
    options = [] if known else [(LET_IT_DECIDE, sentence(language, "slack_form_decide"))]
    options += [(label.name, label.shown) for label in task.labels if label.deliver_to]
    if not lead:
        return _form(ROUTE_FORM, "slack_form_title", language, notes, [section(_safe(language, "slack_form_decides"))])
    element = menu(FIELD, sentence(language, "slack_form_team"), options)
    if not known:
        element["initial_option"] = option(*options[0])
    return _form(ROUTE_FORM, "slack_form_title", language, notes, [_input(language, "slack_form_team", element)])


def reply_form(language: str, notes: Notes) -> Block:
    """The form for writing to the person."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": FIELD,
        "multiline": True,
        "min_length": 1,
        "max_length": _LONGEST_REPLY,
    }
    return _form(REPLY_FORM, "card_reply", language, notes, [_input(language, "slack_form_reply", element)])


def refusal(message: str) -> Block:
    """The answer to a form that is not accepted: it stays open and shows the reason."""
    return {"response_action": "errors", "errors": {FIELD: message}}


def fitting(notes: Notes, text: str) -> dict[str, str]:
    """The notes, with as much of the text as Slack keeps with a form."""
    room = _NOTES
    while len(_written(kept := {**notes, "text": cut(text, room)})) > _NOTES and room > 1:
        # Halve the excess: an escaped character takes two.
        room = max(1, min(room, len(kept["text"])) - max(1, (len(_written(kept)) - _NOTES) // 2))
    return kept


def _form(name: str, title: str, language: str, notes: Notes, blocks: Sequence[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": name,
        "private_metadata": _written(notes),
        "title": _label(sentence(language, title), _TITLE),
        "submit": _label(sentence(language, "slack_form_send"), _TITLE),
        "close": _label(sentence(language, "slack_form_cancel"), _TITLE),
        "blocks": list(blocks),
    }


def _input(language: str, label: str, element: Block) -> Block:
    text = _label(sentence(language, label), 100)
    return {"type": "input", "block_id": FIELD, "label": text, "element": element}


def _written(notes: Notes) -> str:
    return json.dumps(notes, ensure_ascii=False, separators=(",", ":"))


def _label(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": cut(text, limit)}


def _safe(language: str, key: str) -> str:
    return escaped(sentence(language, key))
