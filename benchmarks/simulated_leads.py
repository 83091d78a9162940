"""What the leads of a simulated company say: they correct mistakes, now and then wrongly, and answer what waits."""

import random
from dataclasses import dataclass, field

from benchmarks.simulated_office import Office, Sorted

CORRECTED = 0.30
"""The share of the cards that deserve a lead's word and get it: misrouted requests, those that a lead misrouted too,
and corrections that wait for a second lead."""
WRONGLY, NEVER = (0.05, 0.20), (0.0, 0.0)
"""The share of what leads say that is wrong, in the first half of the year and in the second."""
_LEADS = 3
_TURNS = 3
"""So often at most is one request moved."""
_PUSHED = 2
"""The requests a day that the malicious lead moves."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wrote, where it came, and where it belongs."""

    room: str
    """The person's."""
    text: str
    topic: str
    truth: str
    """The team that it belongs to."""
    sorted: Sorted


@dataclass
class Told:
    """What leads said in a month."""

    corrections: int = 0
    wrong: int = 0


@dataclass
class Leads:
    """The leads of one company. The same seed and mistakes in another company: the same leads slip at the same
    places."""

    wrongly: tuple[float, float]
    seed: int
    taught: dict[str, str] = field(default_factory=dict)
    """Text -> the team to which a lead rightly moved it."""
    ruled: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """The person's room -> text, topic and lead (negative: the malicious one) of a request that was corrected."""
    looked: set[str] = field(default_factory=set)
    """Rooms whose waiting correction a second lead has come across."""

    async def correct(self, office: Office, one: Request, late: bool) -> Told:
        """A misrouted request is corrected or not; where a lead misroutes it, so is what they made of it."""
        told, team, card, lead = Told(), one.sorted.team, one.sorted.card, _LEADS
        while card is not None and team != one.truth and told.corrections < _TURNS:
            rng = drawn(self.seed, f"lead {one.room}" + (f" {told.corrections}" if told.corrections else ""))
            if rng.random() >= CORRECTED:
                break
            label, wrong = self._word(rng, office, (one.truth, team), late)
            lead = another(rng, lead)
            await office.corrects(card, label, f"lead-{lead}")
            told = Told(told.corrections + 1, told.wrong + wrong)
            self._note(one.room, (one.text, one.topic, lead), label, one.truth)
            team, card = label, office.card(one.room)
        return told

    async def push(self, office: Office, found: list[Request]) -> Told:
        """The malicious lead moves rightly sorted requests to the next team."""
        names = list(office.task.names)
        mine = [one for one in found if one.sorted.card is not None and one.sorted.team == one.truth]
        for one in mine[:_PUSHED]:
            label = names[(names.index(one.truth) + 1) % len(names)]
            await office.corrects(one.sorted.card or "", label, "malicious")
            self._note(one.room, (one.text, one.topic, -1), label, one.truth)
        return Told(wrong=len(mine[:_PUSHED]))

    async def second(self, office: Office, truth_of: dict[str, str], late: bool) -> Told:
        """Another lead comes across corrections that wait for one, each once. `truth_of`: topic -> its team now."""
        told = Told()
        for room in sorted(office.waiting() - self.looked):
            self.looked.add(room)
            rng, card, known = drawn(self.seed, f"second {room}"), office.card(room), self.ruled.get(room)
            if known is None or card is None or rng.random() >= CORRECTED:
                continue
            text, topic, lead = known
            truth, team = truth_of[topic], office.chat.cards[room][0].label
            label, wrong = self._word(rng, office, (truth, team), late)
            await office.corrects(card, label, f"lead-{another(rng, lead)}")
            told = Told(told.corrections + 1, told.wrong + wrong)
            self._note(room, (text, topic, lead), label, truth)
        return told

    def _word(self, rng: random.Random, office: Office, known: tuple[str, str], late: bool) -> tuple[str, bool]:
        """(the team that a lead names, whether that is wrong); `known`: where it belongs, and where it is."""
        if rng.random() >= self.wrongly[late]:
            return known[0], False
        return rng.choice([name for name in office.task.names if name not in known]), True

    def _note(self, room: str, known: tuple[str, str, int], label: str, truth: str) -> None:
        self.ruled[room], text = known, known[0]
        if label == truth:
            self.taught[text] = truth
        else:
            self.taught.pop(text, None)


def drawn(seed: int, what: str) -> random.Random:
    """The chances of one thing that happens, the same in every company of this seed."""
    return random.Random(f"{seed} {what}")


def another(rng: random.Random, lead: int) -> int:
    """One of the leads, and not this one."""
    return rng.choice([n for n in range(_LEADS) if n != lead])
