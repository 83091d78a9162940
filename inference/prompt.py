"""The only builder of prompts, for training and serving alike: a task and a text in, token ids out.

A prompt is made of ids, never of a string, so that nothing a person writes can become a special token. It ends where
the next token is the answer's code. There are two shapes. A *bare* base (the starter; its vocabulary has a `<route>`
mark) sees `<s> message <route>` and answers with a reserved token. Any other base sees the question and the list of
labels first, so that the server's prefix cache pays for them once, and the message last.
"""

import threading
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from string import ascii_uppercase
from typing import TypeVar

from tokenizers import Tokenizer

from bot.domain.errors import Refused
from bot.domain.messages import clean
from bot.domain.noise import strip_noise
from bot.domain.tasks import Label, Task
from inference.base_models import positions
from inference.chat_template import chat_frame

MESSAGE_TOKENS = 512
"""The most tokens of a message in a prompt with a list of labels."""
BARE_TOKENS = 128
"""The most tokens of a message in a bare prompt: twice as many would double the time to train on long tickets."""
_HALF = 4_000
"""Characters kept at either end of a text: far more than the tokens kept, and cheap to cut before tokenising."""
_MARK, _START = "<route>", "<s>"
_UNKNOWN = ("[UNK]", "<unk>")
_MOST_UNKNOWN = 0.5
"""The share of unknown pieces, among those with letters, above which a base cannot read a text. The starter, whose
vocabulary covers some languages only, would answer such a text like any other it cannot read."""
_FRAMES = 64
Part = TypeVar("Part", int, str)


class PromptBuilder:
    """Prompts and codes of one base model. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        """Reads the tokenizer in the folder (see `base_models.base_folder`)."""
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._lock = threading.Lock()
        self._room = positions(folder) - 1
        added = self._tokenizer.get_added_tokens_decoder()
        self._forbidden = {id for id, token in added.items() if token.content not in _UNKNOWN}
        self._unknown = {self._tokenizer.token_to_id(token) for token in _UNKNOWN} - {None}
        self._mark = self._tokenizer.token_to_id(_MARK)
        self._frames: dict[str, list[int]] = {}
        if self.bare:
            self._head, self._tail = "", ""
            self._codes = self._reserved_codes()
        else:
            self._head, self._tail = chat_frame(folder)
            self._codes = self._ordinary_codes()

    @property
    def bare(self) -> bool:
        """Whether the prompt is the message alone: such a base can answer nothing before it was trained."""
        return self._mark is not None

    def prompt_ids(
        self, task: Task, codes: Mapping[str, str], text: str, examples: Sequence[tuple[str, str]] = ()
    ) -> list[int]:
        """The prompt whose next token is the code of the answer. `examples` are (text, label); a bare prompt has none.

        Labels of the task without a code are not offered. Any text is accepted; a long one keeps its head and its tail.
        Raises Refused when the labels alone leave no room for a message.
        """
        if self.bare:
            room = min(BARE_TOKENS, self._room - 2)
            return [self._id_of(_START), *_cut(self._plain(readable(text)), room), self._id_of(_MARK)]
        head, tail = self._list_ids(task, codes, examples), self._frame(self._tail)
        room = min(MESSAGE_TOKENS, self._room - len(head) - len(tail))
        if room < 16:
            raise Refused(f"tasks.{task.name}: its labels take {len(head)} tokens, which leaves no room for a message")
        return [*head, *_cut(self._plain(readable(text)), room), *tail]

    def reads(self, text: str) -> bool:
        """Whether the base knows most of the text's words; always true for a base that spells any text from bytes."""
        shown = readable(text)
        with self._lock:
            self._tokenizer.encode_special_tokens = True
            pieces = self._tokenizer.encode(shown, add_special_tokens=False)
        spelled = zip(pieces.ids, pieces.offsets, strict=True)
        unknown = [id in self._unknown for id, (start, end) in spelled if any(map(str.isalpha, shown[start:end]))]
        return sum(unknown) <= _MOST_UNKNOWN * len(unknown)

    def alphabet(self) -> Sequence[str]:
        """The codes that labels may get, each exactly one token after a prompt, in the order they are assigned."""
        return tuple(self._codes)

    def code_id(self, code: str) -> int:
        """The code's token. Raises Refused for a code this base does not have."""
        try:
            return self._codes[code]
        except KeyError as error:
            raise Refused(f"{code!r} is no code of this base model: the adapter was made for another one") from error

    def _list_ids(self, task: Task, codes: Mapping[str, str], examples: Sequence[tuple[str, str]]) -> list[int]:
        shots = "".join(f"Message: {readable(text)}\nCode: {codes[label]}\n\n" for text, label in examples)
        listed = _listing(task, codes, with_examples=True)
        if len(listed) > 2 * self._room:  # at least two characters a token: a guess, but the same one every time
            listed = _listing(task, codes, with_examples=False)
        return [*self._frame(self._head), *self._remembered(f"{listed}{shots}Message:\n", special=False)]

    def _frame(self, text: str) -> list[int]:
        return self._remembered(text, special=True)

    def _remembered(self, text: str, special: bool) -> list[int]:
        """The ids of a part that recurs in every prompt. `special`: the base's makers wrote it, so its special tokens
        count."""
        key = f"{special:d}{text}"
        if key not in self._frames:
            if len(self._frames) >= _FRAMES:
                self._frames.clear()
            self._frames[key] = self._special(text) if special else self._plain(text)
        return self._frames[key]

    def _plain(self, text: str) -> list[int]:
        """The ids of people's text: special tokens in it are split like any other word."""
        with self._lock:
            self._tokenizer.encode_special_tokens = True
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return [id for id in ids if id not in self._forbidden]

    def _special(self, text: str) -> list[int]:
        with self._lock:
            self._tokenizer.encode_special_tokens = False
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _reserved_codes(self) -> dict[str, int]:
        named = ((f"<label_{n:03}>", self._tokenizer.token_to_id(f"<label_{n:03}>")) for n in range(1_000))
        return {code: id for code, id in named if id is not None}

    def _ordinary_codes(self) -> dict[str, int]:
        """Letters, then pairs of letters, that are a single token at the end of a prompt.

        They are tokenised together with what precedes them: many vocabularies also have these letters after a space.
        """
        before = self._special(self._tail)
        codes: dict[str, int] = {}
        for code in [*ascii_uppercase, *map("".join, product(ascii_uppercase, repeat=2))]:
            ids = self._special(self._tail + code)
            if ids[:-1] == before and ids[-1] not in self._forbidden and ids[-1] not in codes.values():
                codes[code] = ids[-1]
        return codes

    def _id_of(self, token: str) -> int:
        id = self._tokenizer.token_to_id(token)
        if id is None:
            raise Refused(f"the base's tokenizer knows {_MARK} but not {token}")
        return int(id)


def chat_prompt(task: Task, text: str, examples: Sequence[tuple[str, str]] = ()) -> str:
    """The prompt for a hosted model, in one message: it contains none of our codes; the answer is a label's name.

    One message, since some endpoints' templates reject a system message or repeated ones. The list comes first, here,
    too.
    """
    labels = "\n".join(f"{label.name}: {label.means}" for label in task.labels)
    shots = "".join(f"Message:\n{readable(said)}\nLabel: {label}\n\n" for said, label in examples)
    asked = f"{task.question}\n\n{labels}\n\nAnswer with the name of one label alone, as it is written above.\n\n"
    return f"{asked}{shots}Message:\n{readable(text)}\nLabel:"


def readable(text: str, words: int | None = None) -> str:
    """A text as every voice reads it, in training and in serving: cleaned, without noise, its middle cut out.

    `words`: keep at most so many, for an encoder that would otherwise read only the head of a long text.
    """
    short = text if len(text) <= 2 * _HALF else f"{clean(text[:_HALF])}\n{clean(text[-_HALF:])}"
    kept = clean(strip_noise(clean(short)).text)
    apart = kept.split() if words is not None else []
    return kept if words is None or len(apart) <= words else " ".join(_cut(apart, words))


def _cut(ids: list[Part], room: int) -> list[Part]:
    """At most `room` ids or words: people say what they want at the beginning, and again at the end."""
    if len(ids) <= room:
        return ids
    tail = room // 2
    return ids[: room - tail] + ids[len(ids) - tail :]


def _listing(task: Task, codes: Mapping[str, str], with_examples: bool) -> str:
    lines = [_line(codes[label.name], label, with_examples) for label in task.labels if label.name in codes]
    return f"{task.question}\n\n" + "\n".join(lines) + "\n\nAnswer with the code alone.\n\n"


def _line(code: str, label: Label, with_examples: bool) -> str:
    said = "; ".join(f'"{example}"' for example in label.examples) if with_examples else ""
    return f"{code}: {label.name}: {label.means}" + (f" ({said})" if said else "")
