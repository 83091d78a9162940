"""Chat fine-tuning lines, OpenAI's `messages` and others' `conversations`: the text is what the person said."""

from collections.abc import Mapping, Sequence

from bot.domain.example_files.rows import BadLine, LeftOut, Row

_PERSON = ("user", "human")
_ANSWERING = ("assistant", "gpt", "model", "bot")
_NEEDED = "a chat line needs a user and an assistant message, both text"


def chat_turns(value: Mapping[str, object]) -> Sequence[object] | None:
    """The turns of a chat line; None if it is no chat line."""
    for key in ("messages", "conversations"):
        turns = value.get(key)
        if isinstance(turns, list) and all(isinstance(turn, dict) and _role(turn) for turn in turns):
            return turns
    return None


def from_chat(number: int, turns: Sequence[object]) -> Row | BadLine | LeftOut:
    """A row of all that the person said before the last answer to be learned, with that answer as the label."""
    said: list[str] = []
    learned: tuple[str, str] | None = None
    unlearned = False
    for turn in turns:
        if not isinstance(turn, dict):
            continue
        text = _content(turn)
        if _role(turn) in _PERSON and text:
            said.append(text)
        elif _role(turn) in _ANSWERING and text and said:
            weight = turn.get("weight")
            if weight not in (None, 0, 1):
                return BadLine(number, f"weight must be 0 or 1, not {weight!r}")
            unlearned = unlearned or weight == 0
            learned = learned if weight == 0 else ("\n".join(said), text)
    if learned:
        return Row(number, {"text": learned[0], "label": learned[1]}, verbatim=True)
    return LeftOut(number, "no answer in it is to be learned (weight 0)") if unlearned else BadLine(number, _NEEDED)


def _role(turn: Mapping[str, object]) -> str:
    role = turn.get("role", turn.get("from"))
    return role.lower() if isinstance(role, str) else ""


def _content(turn: Mapping[str, object]) -> str:
    """The words of a turn; for a turn in parts (text, pictures) those of its text."""
    content = turn.get("content", turn.get("value"))
    if isinstance(content, str):
        return content.strip()
    if not isinstance(content, list):
        return ""
    parts = [part.get("text") if isinstance(part, dict) else part for part in content]
    return "\n".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
