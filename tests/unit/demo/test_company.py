"""The demo company's messages are well-formed and varied, and the held-out ones are really held out."""

import json
import re
import tomllib
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from telegram.constants import ReactionEmoji

DEMO = Path(__file__).parents[3] / "bot" / "demo"
TEAMS = ["billing", "delivery", "support", "sales", "people", "it", "facilities", "legal"]


FILES = ["seed", "heldout", "hard"]


LANGUAGES = ["en", "pt", "es"]


class Example(NamedTuple):
    text: str
    label: str
    language: str

    @property
    def normalised(self) -> str:
        """The text without case and punctuation; a text of punctuation only stays itself."""
        return " ".join(re.findall(r"\w+", self.text.casefold())) or self.text


def examples(name: str) -> list[Example]:
    lines = (DEMO / f"{name}.jsonl").read_bytes().decode("utf-8", errors="strict").splitlines()
    rows = [json.loads(line) for line in lines]
    assert {row["split"] for row in rows} == {"train" if name == "seed" else "test"}
    return [Example(row["text"], row["label"], row.get("language", "en")) for row in rows]


def labels() -> dict[str, dict[str, object]]:
    routing = tomllib.loads((DEMO / "switchboard.toml").read_text(encoding="utf-8"))["tasks"]["routing"]
    return dict(routing["labels"])


def emoji(platform: str) -> list[str]:
    found = [label["emoji"] for label in labels().values()]
    return [one[platform] for one in found if isinstance(one, dict)]


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def similarity_to_nearest(held: frozenset[str], seed: list[frozenset[str]]) -> float:
    """Jaccard similarity, shared words over all words, with the most similar of the seed's messages."""
    best = 0.0
    for one in seed:
        fewer, more = sorted((len(held), len(one)))
        if fewer > best * more:  # otherwise it could not be nearer, whichever words they share
            shared = len(held & one)
            best = max(best, shared / (fewer + more - shared))
    return best


@pytest.mark.parametrize(
    ("name", "language", "per_team", "of_triage"),
    [
        ("seed", "en", 400, 400),
        ("seed", "pt", 150, 180),
        ("seed", "es", 150, 180),
        ("heldout", "en", 25, 40),
        ("heldout", "pt", 13, 16),
        ("heldout", "es", 13, 16),
        ("hard", "en", 18, 36),
        ("hard", "pt", 5, 10),
        ("hard", "es", 5, 10),
    ],
)
def test_every_label_has_enough_messages_in_every_language(
    name: str, language: str, per_team: int, of_triage: int
) -> None:
    counts = Counter(example.label for example in examples(name) if example.language == language)
    assert set(counts) == {*TEAMS, "triage"}
    assert min(counts[team] for team in TEAMS) >= per_team
    assert counts["triage"] >= of_triage


def test_no_message_is_written_twice_or_under_two_labels() -> None:
    counts = Counter(example.normalised for name in FILES for example in examples(name))
    assert [text for text, times in counts.items() if times > 1] == []


@pytest.mark.parametrize("name", ["heldout", "hard"])
def test_held_out_messages_are_unlike_every_seed_message(name: str) -> None:
    seed = [words(one.text) for one in examples("seed")]
    close = [held for held in examples(name) if similarity_to_nearest(words(held.text), seed) >= 0.6]
    assert close == []


@pytest.mark.parametrize("name", FILES)
def test_messages_are_short_and_long_as_people_write(name: str) -> None:
    lengths = [len(example.text.split()) for example in examples(name)]
    assert sum(length < 6 for length in lengths) >= 0.06 * len(lengths)
    assert sum(length > 20 for length in lengths) >= 0.1 * len(lengths)


@pytest.mark.parametrize("name", FILES)
def test_messages_are_clean_text(name: str) -> None:
    for text, _, _ in examples(name):
        assert text == text.strip() != ""
        assert text == unicodedata.normalize("NFC", text)
        assert all(mark == "\n" or unicodedata.category(mark) != "Cc" for mark in text)


@pytest.mark.parametrize("language", ["pt", "es"])
def test_most_messages_are_typed_without_accents_and_some_with(language: str) -> None:
    typed = [example.text for example in examples("seed") if example.language == language]
    plain = sum(text.isascii() for text in typed) / len(typed)
    assert 0.5 < plain < 0.9


def test_no_other_language_than_the_three_is_named() -> None:
    named = {example.language for name in FILES for example in examples(name)}
    assert named == set(LANGUAGES)


def test_teams_are_those_of_the_messages_and_triage_catches_the_rest() -> None:
    routing = tomllib.loads((DEMO / "switchboard.toml").read_text(encoding="utf-8"))["tasks"]["routing"]
    assert list(labels()) == [*TEAMS, "triage"]
    assert routing["fallback"] == "triage"
    for name, label in labels().items():
        assert label["means"]
        assert label["deliver_to"] == {"web": name}


def test_similarity_counts_shared_words_over_all_words() -> None:
    seed = [words("where is my parcel"), words("I lost my badge"), frozenset[str]()]
    assert similarity_to_nearest(words("Where IS my refund?"), seed) == pytest.approx(3 / 5)


def test_examples_in_the_settings_are_not_held_out() -> None:
    held = {example.normalised for name in ("heldout", "hard") for example in examples(name)}
    for name, label in labels().items():
        shown = label["examples"]
        assert isinstance(shown, list)
        assert 4 <= len(shown) <= 6
        assert not {Example(text, name, "en").normalised for text in shown} & held


@pytest.mark.parametrize("platform", ["slack", "telegram", "web"])
def test_no_two_teams_share_an_emoji(platform: str) -> None:
    chosen = emoji(platform)
    assert len(chosen) == len(set(chosen)) == len(labels())


def test_telegram_allows_every_emoji_as_a_reaction() -> None:
    assert set(emoji("telegram")) <= {str(allowed.value) for allowed in ReactionEmoji}
