"""What the emoji on a conversation's cards add up to. Pure; permissions were checked before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.conversations import CardState, LeadLabel, Mark, PendingReactions, StandingCard, label_by_leads
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import Person, Place, Reaction, chosen
from bot.domain.tasks import NOT_A_REQUEST, Task, Vocabulary


class Act(StrEnum):
    """What an emoji on a card means."""

    NAME = "name"
    """It names the emoji's team."""
    WRONG = "wrong"
    """This team is wrong; which one is right is still to be said."""
    TAKE = "take"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Statement:
    """A reaction that says something."""

    reaction: Reaction
    act: Act
    label: str = ""
    """The team it names."""
    via: str = ""
    """The emoji without which it does not count; empty: it stands by itself."""
    task: str = ""
    """The further question whose label it names; empty: it names a team."""

    @property
    def corrects(self) -> bool:
        """Whether only leads may say it."""
        return self.act in (Act.NAME, Act.WRONG)


def read(task: Task, vocabulary: Vocabulary, reaction: Reaction) -> Statement | None:
    """What the reaction says; None: it means nothing to us."""
    picked = chosen(reaction.emoji)
    if picked is not None:
        via, label = picked
        return Statement(reaction, Act.NAME, label, via) if label in task.names else None
    platform, emoji = reaction.ref.platform, reaction.emoji
    label_named = task.label_of_emoji(platform, emoji)
    if label_named is not None:
        return Statement(reaction, Act.NAME, label_named)
    meanings = ((Act.WRONG, vocabulary.wrong), (Act.TAKE, vocabulary.take), (Act.DONE, vocabulary.done))
    return next((Statement(reaction, act) for act, meant in meanings if meant.get(platform) == emoji), None)


def where(task: Task, pending: PendingReactions, reaction: Reaction) -> tuple[str, Place]:
    """(team, room) of the card that the reaction is on, which decide who may say it.

    A choice on the person's own message, or a card that is no longer known, counts as said where the conversation is.
    """
    card = next((c for c in pending.cards if c.ref == reaction.ref), None)
    if card is None and pending.card is not None and pending.card.place.platform == reaction.actor.platform:
        card = pending.card
    label = card.card.label if card else pending.conversation.label or pending.first.label
    room = card.place if card else Place(reaction.ref.platform, reaction.ref.chat)
    return (label if label in task.names else task.fallback), room


def card_state(pending: PendingReactions, said: Sequence[Statement]) -> CardState:
    """What all standing statements add up to, given those of people who may make them.

    Teams may be named on any card it ever had. Taken and done count on its present card alone, and done only since it
    was last opened again.
    """
    reopened = pending.conversation.reopened
    named = [(s.label, s.reaction) for s in said if not s.task and names(s, said) and not _overtaken(s, reopened)]
    marks = [Mark(label, put.actor, put.at, put.ref, put.heard) for label, put in named]
    here = [s for s in said if on_card(pending.card, s.reaction)]
    takers = [s.reaction for s in here if s.act is Act.TAKE]
    return CardState(
        lead_label=label_by_leads(marks, pending.first.label),
        taken_by=max(takers, key=lambda taken: taken.at).actor if takers else None,
        done=any(s.act is Act.DONE and (reopened is None or s.reaction.since > reopened) for s in here),
    )


def _overtaken(said: Statement, reopened: datetime | None) -> bool:
    """Whether it says that this is no request, and somebody has made one of it since."""
    return said.label == NOT_A_REQUEST and reopened is not None and said.reaction.since <= reopened


def decision_now(task: Task, pending: PendingReactions, lead_label: LeadLabel | None) -> Decision | None:
    """The decision that follows from what leads say; None when the conversation is already where it belongs.

    When no lead says anything any more, the decision without them counts again, or the fallback team if the settings
    no longer have that team.
    """
    label = lead_label.label if lead_label else pending.first.label
    undecided = pending.conversation.label is None
    if label == pending.conversation.label or (undecided and lead_label is None) or _in_vain(pending, lead_label):
        return None
    if lead_label is not None:
        return Decision(task.name, label, Author.LEAD, Reason.CORRECTED, actor=lead_label.lead.key)
    back = label if label in task.names else task.fallback
    if back == pending.conversation.label:
        return None
    return replace(pending.first, label=back, reason=Reason.WITHDRAWN, candidates=(), rule="")


def _in_vain(pending: PendingReactions, lead_label: LeadLabel | None) -> bool:
    """Whether the team that leads named cannot be reached: it is tried again only when a lead names it anew."""
    if pending.card is None or pending.card.card.reason != Reason.UNDELIVERABLE or lead_label is None:
        return False
    return not any((r.actor, r.at) == (lead_label.lead, lead_label.at) for r in pending.fresh)


def names(said: Statement, others: Sequence[Statement]) -> bool:
    """A label chosen from buttons counts only while the emoji that brought them stands where the choice does."""
    if said.act is not Act.NAME:
        return False
    place = (said.reaction.ref, _who(said.reaction.actor))
    return not said.via or any(
        other.reaction.emoji == said.via and (other.reaction.ref, _who(other.reaction.actor)) == place
        for other in others
    )


def on_card(card: StandingCard | None, reaction: Reaction) -> bool:
    """Whether the reaction is on this card."""
    if card is None:
        return False
    if card.ref is not None:
        return card.ref == reaction.ref
    return (card.place.platform, card.place.chat) == (reaction.ref.platform, reaction.ref.chat)


def unheard(pending: PendingReactions, ignored: Sequence[Statement]) -> list[Statement]:
    """New statements of people who may not correct: each person is told so once, however often they try."""
    corrections = [said for said in ignored if said.corrects and not said.reaction.actor.external]
    known = {_who(said.reaction.actor) for said in corrections if said.reaction not in pending.fresh} | pending.told
    told: list[Statement] = []
    for said in corrections:
        who = _who(said.reaction.actor)
        if who not in known:
            known.add(who)
            told.append(said)
    return told


def wrong_now(pending: PendingReactions, said: Sequence[Statement]) -> bool:
    """Whether a lead has just said that the present card's team is wrong."""
    return any(s.act is Act.WRONG and s.reaction in pending.fresh and on_card(pending.card, s.reaction) for s in said)


def _who(person: Person) -> tuple[str, str]:
    return person.platform, person.id
