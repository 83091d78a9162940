"""Messages of past weeks whose label was settled by what happened later: what to judge by, and how good a truth it is.

That nobody corrected a decision settles nothing: most people who get what is not theirs say so to nobody.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.domain.learning import Example, Side, Source, side_of
from bot.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class SettledMessages:
    """What can be judged by, and how many conversations cannot."""

    examples: Sequence[Example]
    """Of the side that is never learned from, with the label that was settled, oldest first."""
    said: int
    """Of these, by somebody's word: a lead's ruling, a person's choice, or somebody moved it."""
    unsettled: int
    doubtful: int
    """Leads name different teams, or what is to be learned waits for a second lead."""
    gone: int
    """The text was erased, or nobody has the team any more."""
    learned: int
    """Settled, and on the side that is learned from."""

    @property
    def acted(self) -> int:
        """Settled only because a team took it, or closed it."""
        return len(self.examples) - self.said


def settled_messages(outcomes: Sequence[Outcome], names: Collection[str]) -> SettledMessages:
    """Sorted by what can be told of each.

    Corrections on the train side are learned from, and are left out. Would the rest of that side stay, corrected
    messages were rarer here than in life and everything looked better than it is: so the whole side is left out.
    """
    settled = [one for one in outcomes if one.settled]
    certain = [one for one in settled if not one.disputed and not one.quarantined]
    known = [one for one in certain if one.text and one.ended in names]
    judging = [one for one in known if side_of(one.text) is Side.HELD_OUT]
    return SettledMessages(
        examples=[_example(one) for one in judging],
        said=sum(one.said for one in judging),
        unsettled=len(outcomes) - len(settled),
        doubtful=len(settled) - len(certain),
        gone=len(certain) - len(known),
        learned=len(known) - len(judging),
    )


def _example(one: Outcome) -> Example:
    source = Source.CORRECTION if one.ended != one.first.label else Source.CONFIRMATION
    return Example(one.text, one.ended, source, Side.HELD_OUT, one.at, one.conversation)


def truth_notes(made: SettledMessages) -> list[str]:
    """How the truth was obtained, who was left out, and what that is biased towards, a sentence each."""
    return [
        f"the truth is what happened later: {made.said} messages were settled by somebody's word (a lead's ruling, the "
        f"person's choice, a reassignment), {made.acted} by the team that took or closed them",
        f"{made.unsettled} conversations are left out because nobody settled them: that nobody corrected a decision is "
        "no evidence that it was right",
        *_left_out(made),
        *_biased(made),
    ]


def _left_out(made: SettledMessages) -> list[str]:
    said = []
    if made.learned:
        said.append(
            f"{made.learned} settled ones are left out because their text is on the side that is learned from, "
            "corrected or not, so that corrected ones are as frequent as they were"
        )
    if made.doubtful or made.gone:
        said.append(
            f"{made.doubtful} are left out because leads disagree or a second lead is awaited, {made.gone} because "
            "their text was erased or their team is gone"
        )
    return said


def _biased(made: SettledMessages) -> list[str]:
    if not made.acted:
        return []
    return [
        "a team that takes what is not its own turns a mistake into the truth: where that happened, what served then "
        "looks better than it was, and whoever disagrees with it looks worse"
    ]
