"""Rules that always win: conditions of the settings, in order, checked before any voice is asked. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.decisions import MAX_CANDIDATES, Author, Decision, Reason
from bot.domain.hours import Hours
from bot.domain.messages import Person, Place
from bot.domain.safe_pattern import SafePattern
from bot.domain.tasks import NOT_A_REQUEST, Task
from bot.domain.word_list import Phrase, WordIndex


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody wrote, and everything else that a rule may check."""

    text: str
    person: Person
    place: Place
    at: datetime
    language: str | None = None
    """An ISO 639-1 code; None where it cannot be told."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions, all of which must hold. One entry of a list is enough; an empty list or None is no condition."""

    senders: frozenset[tuple[str, str]] = frozenset()
    """(platform, id)"""
    domains: frozenset[str] = frozenset()
    """Domains of the sender's address; `example.com` also covers `mail.example.com`."""
    rooms: frozenset[tuple[str, str]] = frozenset()
    """(platform, chat) where it was written."""
    platforms: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    """ISO 639-1 codes."""
    words: tuple[Phrase, ...] = ()
    pattern: SafePattern | None = None
    hours: Hours | None = None
    """Hours within which it was written."""
    outside_hours: Hours | None = None
    """Hours outside of which it was written."""

    @property
    def empty(self) -> bool:
        """Whether there are none, so that they hold for every message."""
        return self == Conditions()

    def hold(self, look: "Look", number: int) -> bool:
        """Whether all conditions of the rule of that number hold. The most expensive are checked last."""
        return all(holds for _, holds in self._each(look, number))

    def unmet(self, look: "Look", number: int) -> list[str]:
        """The conditions that do not hold, by their names in the settings."""
        return [name for name, holds in self._each(look, number) if not holds]

    def _each(self, look: "Look", number: int) -> Iterator[tuple[str, bool]]:
        """(name, whether it holds) for every condition."""
        place, person = look.said.place, look.said.person
        if self.words:
            yield "words", number in look.worded
        if self.platforms:
            yield "platform", place.platform in self.platforms
        if self.rooms:
            yield "channel", (place.platform, place.chat) in self.rooms
        if self.senders:
            yield "from", (person.platform, person.id) in self.senders
        if self.domains:
            yield "domain", _is_of(domain_of(person), self.domains)
        if self.languages:
            yield "language", look.said.language in self.languages
        if self.hours is not None:
            yield "hours", look.is_within(self.hours)
        if self.outside_hours is not None:
            yield "outside_hours", not look.is_within(self.outside_hours)
        if self.pattern is not None:
            yield "pattern", self.pattern.found_in_bytes(look.encoded)


@dataclass(slots=True)
class Look:
    """One message under many rules; what several of them need is computed once."""

    said: Written
    worded: frozenset[int]
    """The numbers of the rules that have one of their words in the text."""
    encoded: bytes
    _within: dict[Hours, bool] = field(default_factory=dict)

    def is_within(self, of: Hours) -> bool:
        """Whether it was written within these hours."""
        if of not in self._within:
            self._within[of] = of.open_at(self.said.at)
        return self._within[of]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens where a rule applies."""

    task: str
    """The question that it answers."""
    label: str = ""
    """The answer; empty: the person is asked which team."""

    @property
    def asks(self) -> bool:
        return not self.label


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the settings."""

    name: str
    where: Conditions
    then: Outcome
    written: str = field(default="", compare=False)
    """Its conditions as written in the settings, for lists of rules."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules, in order, prepared; for each question the first that applies counts."""

    rules: tuple[Rule, ...] = ()
    _words: WordIndex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lists = {number: rule.where.words for number, rule in enumerate(self.rules) if rule.where.words}
        object.__setattr__(self, "_words", WordIndex(lists))

    @property
    def need_the_language(self) -> bool:
        """Whether any rule needs the language of the text."""
        return any(rule.where.languages for rule in self.rules)

    def applying(self, said: Written, may_ask: bool = True) -> Mapping[str, Rule]:
        """Task -> the rule that answers it. Unless `may_ask`, as when the person was asked already, no rule asks."""
        look, answered = self._look(said), dict[str, Rule]()
        for number, rule in enumerate(self.rules):
            open_question = rule.then.task not in answered and (may_ask or not rule.then.asks)
            if open_question and rule.where.hold(look, number):
                answered[rule.then.task] = rule
        return answered

    def unmet(self, said: Written) -> list[tuple[Rule, list[str]]]:
        """Every rule, with the conditions that keep it from applying."""
        look = self._look(said)
        return [(rule, rule.where.unmet(look, number)) for number, rule in enumerate(self.rules)]

    def _look(self, said: Written) -> Look:
        return Look(said, self._words.found_in(said.text), said.text.encode("utf-8", "replace"))


def domain_of(person: Person) -> str | None:
    """The domain of the person's address on their platform; None where they are not known by an address."""
    _, at, domain = person.id.rpartition("@")
    return domain.casefold().rstrip(".>") if at and "." in domain else None


def ruled(rule: Rule) -> Decision:
    """The decision by a rule that names a label."""
    return Decision(rule.then.task, rule.then.label, Author.RULE, Reason.RULE, rule=rule.name)


def thanked(task: Task) -> Decision:
    """The decision on mere thanks, for a task with a label for what is no request."""
    return Decision(task.name, NOT_A_REQUEST, Author.RULE, Reason.THANKS)


def asking(task: Task, rule: Rule, decided: Decision) -> Decision:
    """The decision by a rule that asks the person, among the teams that the voices find likeliest."""
    teams = [label.name for label in task.labels if label.name != task.fallback and not label.is_no_request]
    ranked = sorted(teams, key=lambda name: -decided.probabilities.get(name, 0.0))
    return replace(
        decided,
        label=decided.label if decided.label in teams else ranked[0],
        by=Author.RULE,
        reason=Reason.RULE,
        adapter=None,
        candidates=tuple(ranked[:MAX_CANDIDATES]),
        rule=rule.name,
    )


def _is_of(domain: str | None, domains: frozenset[str]) -> bool:
    return domain is not None and any(domain == one or domain.endswith(f".{one}") for one in domains)
