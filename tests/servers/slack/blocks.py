"""Slack's limits on blocks, as far as a bot can trip over them, and finding a button in them."""

from collections.abc import Iterator, Sequence

from tests.servers.slack.state import SlackError
from tests.servers.wire import Json, items, mapping, word


def check(blocks: Sequence[Json]) -> None:
    """Raise SlackError("invalid_blocks") where the documented limits are passed."""
    within = len(blocks) <= 50 and all(_block_fits(block) for block in blocks)
    if not within or not all(_button_fits(button) for button in buttons(blocks)):
        raise SlackError("invalid_blocks")


def _block_fits(block: Json) -> bool:
    text = word(mapping(block, "text"), "text")
    if block.get("type") == "section":
        fields = items(block, "fields")
        full = bool(text or fields)
        return full and len(text) <= 3000 and len(fields) <= 10 and all(len(word(f, "text")) <= 2000 for f in fields)
    if block.get("type") == "header":
        return 0 < len(text) <= 150
    if block.get("type") == "actions":
        return 0 < len(items(block, "elements")) <= 25
    return "type" in block


def _button_fits(button: Json) -> bool:
    label = word(mapping(button, "text"), "text")
    return 0 < len(label) <= 75 and len(word(button, "value")) <= 2000 and len(word(button, "action_id")) <= 255


def buttons(blocks: Sequence[Json]) -> Iterator[Json]:
    """Every button, with the id of its block."""
    for index, block in enumerate(blocks):
        accessory = mapping(block, "accessory")
        for element in [*items(block, "elements"), *([accessory] if accessory else [])]:
            if element.get("type") == "button":
                yield {"block_id": block.get("block_id", f"block{index}"), **element}
