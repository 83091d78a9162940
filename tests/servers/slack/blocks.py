"""Slack's limits on blocks, as far as a bot can exceed them, and finding a button in them."""

import json
from collections.abc import Iterator, Sequence

from tests.servers.slack.state import SlackError
from tests.servers.wire import Json, items, mapping, word

_TOTAL = 13_200
"""Characters of all blocks of a message together; documented nowhere, observed by others."""


def check(blocks: Sequence[Json], most: int = 50, total: int = _TOTAL) -> None:
    """Raise SlackError("invalid_blocks") beyond the documented limits, "msg_blocks_too_long" for all together."""
    within = len(blocks) <= most and all(_block_fits(block) for block in blocks)
    named = [word(block, "block_id") for block in blocks if block.get("block_id")]
    unique = len(named) == len(set(named)) and all(len(name) <= 255 for name in named)
    if not within or not unique or not all(_button_fits(button) for button in buttons(blocks)):
        raise SlackError("invalid_blocks")
    if len(json.dumps(list(blocks), ensure_ascii=False)) > total:
        raise SlackError("msg_blocks_too_long")


def check_form(view: Json) -> None:
    """Raise SlackError("invalid_arguments") for a form that Slack would not open."""
    titles = (word(mapping(view, name), "text") for name in ("title", "submit", "close"))
    within = all(0 < len(title) <= 24 for title in titles) and len(word(view, "private_metadata")) <= 3_000
    if view.get("type") != "modal" or not within or len(word(view, "callback_id")) > 255:
        raise SlackError("invalid_arguments")
    check(items(view, "blocks"), most=100, total=250_000)


def _block_fits(block: Json) -> bool:
    text = word(mapping(block, "text"), "text")
    if block.get("type") == "section":
        fields = items(block, "fields")
        full = bool(text or fields)
        small = len(text) <= 3000 and len(fields) <= 10 and all(len(word(f, "text")) <= 2000 for f in fields)
        return full and small and _menu_fits(mapping(block, "accessory"))
    if block.get("type") == "header":
        return 0 < len(text) <= 150
    if block.get("type") == "context":
        elements = items(block, "elements")
        return 0 < len(elements) <= 10 and all(0 < len(word(element, "text")) <= 3000 for element in elements)
    if block.get("type") == "actions":
        return 0 < len(items(block, "elements")) <= 25
    if block.get("type") == "input":
        return _menu_fits(mapping(block, "element"))
    return "type" in block


def _menu_fits(element: Json) -> bool:
    if element.get("type") != "static_select":
        return True
    options = items(element, "options")
    fit = all(0 < len(word(mapping(o, "text"), "text")) <= 75 and 0 < len(word(o, "value")) <= 150 for o in options)
    return 0 < len(options) <= 100 and fit


def _button_fits(button: Json) -> bool:
    label = word(mapping(button, "text"), "text")
    return 0 < len(label) <= 75 and len(word(button, "value")) <= 2000 and len(word(button, "action_id")) <= 255


def buttons(blocks: Sequence[Json]) -> Iterator[Json]:
    """Every button, with the id of its block."""
    yield from (element for element in elements(blocks) if element.get("type") == "button")


def elements(blocks: Sequence[Json]) -> Iterator[Json]:
    """Everything that can be pressed or picked, with the id of its block."""
    for index, block in enumerate(blocks):
        accessory = mapping(block, "accessory")
        for element in [*items(block, "elements"), *([accessory] if accessory else [])]:
            if element.get("action_id"):
                yield {"block_id": block.get("block_id", f"block{index}"), **element}
