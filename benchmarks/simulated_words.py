"""What people write to a simulated company, and which of its teams exist, and have which messages, on which day."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.messages import Place, has_words
from bot.domain.tasks import Label, Task

APPEAR, SPLIT_DAY = (56, 140), 238
"""The days on which the two teams appear, and the one on which a team is split."""
ABROAD = ("es", "fr", "de")
QUESTIONS = {"calendar": r"Check|Find|Time", "email": r"Check|Query|Read|Search|Show"}
"""Skills of two teams: one is asked things, the other is told to do them."""
SKILLS = ("calendar", "email", "hospitality", "todo", "weather")
JUDGED = 10
"""Messages of each early intent, of the validation split, that a company has to judge its adapters by."""
EMOJI = "🍎🍐🍊🍋🍌🍉🍇🍓🍒🍍🥝"


@dataclass(frozen=True, slots=True)
class Words:
    """What people write: by team, what is said from the beginning, what only later, and what is asked at the end."""

    early: Mapping[str, Sequence[str]]
    late: Mapping[str, Sequence[str]]
    asked: Mapping[str, Sequence[str]]
    appear: Mapping[str, int]
    """Team -> the day on which it appears; the others are there from the beginning."""
    split: str
    part: str
    """Up to the day of the split, messages of `part` belong to `split`."""
    judged: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By team, what adapters are judged by; empty: there is nothing to judge by."""
    languages: tuple[str, ...] = ("en",)
    """The setting `conversation.languages`."""

    def team_of(self, topic: str, day: int) -> str:
        """The team that has these messages on that day."""
        return self.split if topic == self.part and day < SPLIT_DAY else topic


def domains(folder: Path) -> Words:
    """A third of each team's intents comes late; of the test split a hundred messages a team are asked at the end."""
    intents = {row["text"]: row["label"] for row in _rows(folder / "clinc150.jsonl")}
    texts: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in _rows(folder / "clinc_domains.jsonl"):
        if row["label"] != "oos" and row["text"] in intents and has_words(row["text"]):  # a greeting gets no card
            texts[row["split"], row["label"], intents[row["text"]]].append(row["text"])
    by_team: dict[str, dict[str, list[str]]] = {
        kind: defaultdict(list) for kind in ("early", "late", "asked", "judged")
    }
    for team in sorted({team for _, team, _ in texts}):
        known = sorted({intent for _, of, intent in texts if of == team})
        for at, intent in enumerate(known):
            by_team["late" if at % 3 == 2 else "early"][team] += texts["train", team, intent]
            by_team["asked"][team] += texts["test", team, intent][:7]
            if at % 3 != 2:
                by_team["judged"][team] += texts["valid", team, intent][:JUDGED]
    appear = dict(zip(("travel", "credit_cards"), APPEAR, strict=True))
    said = by_team["early"], by_team["late"], by_team["asked"]
    return Words(*said, appear, "home", "kitchen_and_dining", by_team["judged"])


def languages(folder: Path) -> Words:
    """English comes early, three other languages late; thirty texts a team and language are asked at the end."""
    texts: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for code in ("en", *ABROAD):
        for row in _rows(folder / f"{code}_msskills.jsonl"):
            team = _skill(row["label"])
            if team and has_words(row["text"]):
                texts[code, row["split"], team].append(row["text"])
    teams = sorted({team for _, _, team in texts})
    early = {team: texts["en", "train", team] for team in teams}
    late = {team: [text for code in ABROAD for text in texts[code, "train", team]] for team in teams}
    asked = {team: [text for code in ("en", *ABROAD) for text in texts[code, "test", team][:30]] for team in teams}
    appear = dict(zip(("weather", "todo"), APPEAR, strict=True))
    return Words(early, late, asked, appear, "email", "email_questions", languages=("en", *ABROAD))


def _skill(intent: str) -> str:
    """The team of an intent such as `calendar.FindDuration`; empty: no team's."""
    skill, _, does = intent.partition(".")
    asks = re.match(QUESTIONS.get(skill, "$"), does)
    return "" if skill not in SKILLS else f"{skill}_questions" if asks else skill


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def task_on(day: int, words: Words) -> Task:
    """The teams that exist on that day."""
    teams = [d for d in sorted(words.early) if words.appear.get(d, 0) <= day and words.team_of(d, day) == d]
    labels = [
        Label(d, d.replace("_", " "), emoji={"web": EMOJI[n]}, deliver_to={"web": Place("web", f"room-{d}")})
        for n, d in enumerate(sorted(words.early))
        if d in teams
    ]
    return Task("routing", "Which team?", tuple(labels), labels[-1].name)
