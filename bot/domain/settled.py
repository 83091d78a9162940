"""Messages of past weeks whose label later events settled: what to judge by, and how good a truth that is.

That nobody corrected a decision settles nothing: most people who get a request that is not theirs tell nobody.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.domain.learning import Example, Side, Source, side_of
from bot.domain.outcomes import Outcome
from bot.domain.plural import counted


@dataclass(frozen=True, slots=True)
class SettledMessages:
    """The messages to judge by, and how many conversations are none."""

    examples: Sequence[Example]
    """From the side that is never learned from, with the settled label, oldest first."""
    said: int
    """How many of these were settled by a statement: a lead's ruling, the person's choice, or a move."""
    unsettled: int
    doubtful: int
    """Conversations where leads disagree, or whose correction waits for a second lead."""
    gone: int
    """Conversations whose text was erased, or whose team no longer exists."""
    learned: int
    """Settled ones on the side that is learned from."""

    @property
    def acted(self) -> int:
        """How many were settled only because a team took or closed them."""
        return len(self.examples) - self.said


def settled_messages(outcomes: Sequence[Outcome], names: Collection[str]) -> SettledMessages:
    """Sort the conversations by what is known about each.

    Corrections on the train side are learned from, so they are left out. If the rest of that side stayed, corrected
    messages would be rarer here than in life and everything would look better than it is: so the whole side is left
    out.
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
    """How the truth was obtained, what was left out, and how that biases it, one sentence each."""
    said = counted(made.said, "message was", "messages were")
    unsettled = counted(made.unsettled, "conversation is", "conversations are")
    return [
        f"the truth is what happened later: {said} settled by somebody's word (a lead's ruling, the "
        f"person's choice, a reassignment), {made.acted} by the team that took or closed them",
        f"{unsettled} left out because nobody settled them: that nobody corrected a decision is "
        "no evidence that it was right",
        *_left_out(made),
        *_biased(made),
    ]


def _left_out(made: SettledMessages) -> list[str]:
    said = []
    if made.learned:
        said.append(
            f"{counted(made.learned, 'settled one is', 'settled ones are')} left out for being on the side that is "
            "learned from, corrected or not, so that corrected ones are as frequent as they were"
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
