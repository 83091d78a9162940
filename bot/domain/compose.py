"""The posts that are owed, and to whom, when something was decided. Pure: facts in, posts out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.automatic_rollback import Serving
from bot.domain.conversations import (
    CardState,
    Conversation,
    PendingReactions,
    StandingCard,
    State,
    UndecidedConversation,
)
from bot.domain.decisions import Basis, Decision, Evidence, NoPrediction, Opinion, Reason
from bot.domain.guards import Held
from bot.domain.learning import Verdict
from bot.domain.messages import Media, Message, MessageRef, Person, Place, joined
from bot.domain.noise import strip_noise
from bot.domain.posts import (
    ON_THE_CARD,
    Answer,
    Card,
    Moved,
    Notice,
    Post,
    Question,
    Solved,
    What,
    WordsPlease,
    WrongTeam,
)
from bot.domain.presses import PendingPress
from bot.domain.report_posts import LearningReport, Trial, Withdrawal
from bot.domain.rich_text import head, one_line, plain
from bot.domain.tasks import NOT_A_REQUEST, Task
from bot.domain.unlearning import Withdrawn

REMEMBERED, MOST_REMEMBERED = 120, 3
"""How many characters of a remembered text a card shows, and how many such texts."""
MOST_HISTORY = 50
"""How many of the newest lines of what was said before move along with a card."""


@dataclass(frozen=True, slots=True)
class Told:
    """The person's own words, as a card shows them."""

    text: str
    source: MessageRef
    media: tuple[Media, ...] = ()
    remembered: "Remembered | None" = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """The known texts that a decision rests on, and on whose word they have its label."""

    texts: tuple[str, ...] = ()
    basis: Basis = Basis.CORRECTION


def told(messages: Sequence[Message], text: str, remembered: Remembered | None = None) -> Told:
    """These words with all attachments; one that several messages point at comes once."""
    media = {(one.platform, one.id): one for message in reversed(messages) for one in reversed(message.media)}
    return Told(text, messages[0].ref, tuple(reversed(media.values())), remembered)


def remembered(decision: Decision, known: Sequence[Evidence]) -> Remembered:
    """The texts that carried this decision, shortened, the nearest first: corrections if there are any among them, else
    people's own choices, else examples."""
    leaned_on = [one for one in known if one.example in decision.evidence and one.label == decision.label]
    basis = next((basis for basis in Basis if any(one.basis is basis for one in leaned_on)), Basis.CORRECTION)
    texts = dict.fromkeys(shortened(one.text, REMEMBERED) for one in leaned_on if one.basis is basis and one.text)
    return Remembered(tuple(texts)[:MOST_REMEMBERED], basis)


def evidence(opinions: Sequence[Opinion | NoPrediction]) -> list[Evidence]:
    """Every known text that any voice's opinion rests on, alone or beside others."""
    spoken = [opinion for opinion in opinions if isinstance(opinion, Opinion)]
    return [one for opinion in spoken for said in (opinion, opinion.alone) if said for one in said.evidence]


def shortened(text: str, most: int) -> str:
    """The text in one line of at most `most` UTF-16 code units."""
    return head(one_line(text), most)


# --- the first decision ---


def routed(
    task: Task, case: UndecidedConversation, decision: Decision, known: Told, now: datetime, many: bool = False
) -> list[Post]:
    """The posts for a decision: the person learns the team, the team gets the card, an open question closes.

    `many`: the person is also told that their next requests take longer.
    """
    conversation = case.conversation
    if decision.label == NOT_A_REQUEST:
        return [*_closed(conversation, case.question, decision.label, chosen=False), *_kind_word(task, conversation)]
    return [
        *_closed(conversation, case.question, decision.label, chosen=False),
        Post(conversation.place, replace(_answer(task, conversation, decision, now), many=many)),
        *_card(task, conversation, decision, known),
    ]


def asked(case: UndecidedConversation, decision: Decision) -> list[Post]:
    """The question to the person, where we are too unsure: which of the candidates?"""
    conversation = case.conversation
    return [Post(conversation.place, Question(decision.candidates, conversation.person.language))]


def words_please(case: UndecidedConversation) -> list[Post]:
    """Ask for words where there is nothing to read, once a conversation."""
    conversation = case.conversation
    if conversation.asked_for_words:
        return []
    return [Post(conversation.place, WordsPlease(conversation.person.language))]


def chosen(task: Task, pressed: PendingPress, decision: Decision) -> list[Post]:
    """The posts for a person's tap: the buttons vanish, and the team gets the card."""
    conversation = pressed.conversation
    known = told(pressed.messages, joined([message.text for message in pressed.messages]))
    closing = _closed(conversation, pressed.post, decision.label, chosen=True)
    return [*closing, *_card(task, conversation, decision, known)]


def _kind_word(task: Task, conversation: Conversation) -> list[Post]:
    """A kind word, or none, as the settings say, to somebody who asked for nothing."""
    if not task.kind_word:
        return []
    return [Post(conversation.place, Answer(NOT_A_REQUEST, conversation.person.language, no_request=True))]


def _answer(task: Task, conversation: Conversation, decision: Decision, now: datetime) -> Answer:
    hours = task.label(decision.label).hours
    back = hours.back_at(now) if hours else None
    return Answer(
        decision.label,
        conversation.person.language,
        remembered=decision.reason is Reason.REMEMBERED,
        undecided=decision.label == task.fallback,
        unread=decision.reason is Reason.UNREADABLE,
        back=back,
        days=(back.date() - now.astimezone(back.tzinfo).date()).days if back else None,
    )


def _closed(conversation: Conversation, question: int | None, label: str, chosen: bool) -> list[Post]:
    if question is None:
        return []
    closed = Question((), conversation.person.language, answered=label, chosen=chosen)
    return [Post(conversation.place, closed, edits=question)]


# --- what leads and agents say with emoji ---


def judged(
    task: Task, pending: PendingReactions, decision: Decision | None, standing: CardState, now: datetime
) -> list[Post]:
    """What the emoji on the cards now call for: the card moves, or shows who has taken it and whether it is done."""
    if decision is None:
        posts = _marked(pending.card, standing)
    elif pending.conversation.label is None:
        posts = _answered_for(task, pending, decision, now)
    else:
        posts = [*moved(task, pending, decision, standing), *unasked(pending, decision.label)]
    return [*posts, *_solved(pending, decision, standing), *_disputed(pending.card, standing)]


def moved(task: Task, pending: PendingReactions, decision: Decision, standing: CardState) -> list[Post]:
    """The posts of a move by a lead: the old card is struck, the new team gets one, and the person is told."""
    conversation, card = pending.conversation, pending.card
    if decision.label == NOT_A_REQUEST:
        struck = (
            [] if card is None else [Post(card.place, replace(card.card, moved_to=decision.label), edits=card.post)]
        )
        return [*struck, *_kind_word(task, conversation)]
    person = Post(conversation.place, Moved(decision.label, conversation.person.language))
    if card is None:
        known = told(pending.messages, joined([message.text for message in pending.messages]))
        return [*_card(task, conversation, decision, known), person]
    known = Told(card.card.excerpt, card.card.source, card.card.media)
    return [
        Post(card.place, replace(card.card, moved_to=decision.label), edits=card.post),
        *_left(pending, card, decision.label),
        *(_following(post, pending, card, standing) for post in _card(task, conversation, decision, known)),
        person,
    ]


def newest(history: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The lines that move along, with a mark of how many do not."""
    left_out = len(history) - MOST_HISTORY
    return history if left_out <= 0 else (("…", f"+{left_out}"), *history[left_out:])


def _following(post: Post, pending: PendingReactions, old: StandingCard, standing: CardState) -> Post:
    """The new card with what the old one showed, and what was said since."""
    if not isinstance(post.content, Card):
        return post
    card = replace(
        post.content,
        replaces=old.post,
        history=newest(pending.history),
        edited=old.card.edited,
        deleted=old.card.deleted,
        answers=old.card.answers,
        disputed=standing.lead_label is not None and standing.lead_label.disputed,
    )
    return replace(post, content=card)


def wrong_team(task: Task, pending: PendingReactions) -> list[Post]:
    """Ask leads who say that the team is wrong for the right one, the likeliest first; one open question at a time."""
    if any(isinstance(content, WrongTeam) and not content.question for _, content in pending.asking):
        return []
    others = [name for name in task.names if name != pending.conversation.label]
    ranked = sorted(others, key=lambda name: -pending.first.probabilities.get(name, 0.0))
    return [Post(ON_THE_CARD, WrongTeam(tuple(ranked)))]


def no_lead(room: Place, person: Person) -> Post:
    """Tell somebody, and nobody else, that their emoji would correct if they were a lead."""
    return Post(room, Notice(What.NO_LEAD), only_for=person)


def unasked(pending: PendingReactions, label: str) -> list[Post]:
    """Close the question to leads which team is right: it has been settled."""
    return [
        Post(ON_THE_CARD, replace(content, chosen=label), edits=post)
        for post, content in pending.asking
        if isinstance(content, WrongTeam) and not content.question
    ]


def _marked(card: StandingCard | None, standing: CardState) -> list[Post]:
    """The card with who has taken it; rewritten only if that changes what it shows."""
    if card is None:
        return []
    taker = standing.taken_by
    now = replace(
        card.card,
        taken_by=(taker.name or taker.id) if taker else "",
        done=standing.done,
        disputed=standing.lead_label is not None and standing.lead_label.disputed,
    )
    return [Post(card.place, now, edits=card.post)] if now != card.card else []


def _answered_for(task: Task, pending: PendingReactions, decision: Decision, now: datetime) -> list[Post]:
    """The posts when a lead answers what the person was asked."""
    conversation = pending.conversation
    known = told(pending.messages, joined([message.text for message in pending.messages]))
    if decision.label == NOT_A_REQUEST:
        closed = _closed(conversation, pending.question, decision.label, chosen=False)
        return [*closed, *_kind_word(task, conversation)]
    return [
        *_closed(conversation, pending.question, decision.label, chosen=False),
        Post(conversation.place, _answer(task, conversation, decision, now)),
        *_card(task, conversation, decision, known),
    ]


def _solved(pending: PendingReactions, decision: Decision | None, standing: CardState) -> list[Post]:
    """Done: the person is asked whether it is solved. No longer done: the question is closed."""
    conversation = pending.conversation
    closed = conversation.state is State.CLOSED
    if decision is None and standing.done and not closed and conversation.label is not None:
        return [Post(conversation.place, Solved(conversation.label, conversation.person.language))]
    if closed and (decision is not None or not standing.done):
        return unsettled(conversation, pending.asking, "")
    return []


def unsettled(conversation: Conversation, asking: Sequence[tuple[int, object]], answer: str) -> list[Post]:
    """The question whether it is solved, without its buttons."""
    return [
        Post(conversation.place, replace(content, answer=answer), edits=post)
        for post, content in asking
        if isinstance(content, Solved)
    ]


def _disputed(card: StandingCard | None, standing: CardState) -> list[Post]:
    lead_label = standing.lead_label
    if lead_label is None or not lead_label.disputed or (card is not None and card.card.disputed):
        return []
    return [Post(ON_THE_CARD, Notice(What.DISPUTED, team=lead_label.label))]


def marked_held(posts: Sequence[Post], card: StandingCard | None, why: Held | None) -> list[Post]:
    """The posts with the standing card marked as waiting for a second lead, or no longer so."""
    held = "" if why is None or why is Held.DISPUTED else why.value
    marked = [
        replace(post, content=replace(post.content, held=held))
        if isinstance(post.content, Card) and post.content.moved_to is None
        else post
        for post in posts
    ]
    if any(isinstance(post.content, Card) for post in posts) or card is None or card.card.held == held:
        return marked
    return [*marked, Post(card.place, replace(card.card, held=held), edits=card.post)]


def _left(pending: PendingReactions, card: StandingCard, label: str) -> list[Post]:
    """Tell the old team that the request left, if they took it or wrote about it; else the struck card will do."""
    if not card.card.taken_by and not pending.history:
        return []
    return [Post(card.place, Notice(What.LEFT, team=label), under=card.post)]


# --- cards and reports ---


def legend(task: Task, platform: str) -> tuple[tuple[str, str], ...]:
    """(emoji, label) for every label that emoji can name on that platform."""
    return tuple((label.emoji[platform], label.name) for label in task.labels if platform in label.emoji)


def _card(task: Task, conversation: Conversation, decision: Decision, known: Told) -> list[Post]:
    room = task.address(decision.label, conversation.place.platform)
    if room is None:
        return []
    leaned_on = known.remembered or Remembered()
    card = Card(
        conversation=conversation.id,
        label=decision.label,
        excerpt=known.text,
        author=conversation.person.name,
        source=known.source,
        by=decision.by,
        reason=decision.reason,
        confidence=decision.confidence,
        adapter=decision.adapter,
        legend=legend(task, room.platform),
        remembered=leaned_on.texts,
        remembered_from=leaned_on.basis,
        media=known.media,
        voices=decision.voices,
        left_out=tuple(one.kind.value for one in strip_noise(plain(known.text)).left_out),
        rule=decision.rule,
    )
    return [Post(room, card)]


def learned(task: Task, adapter: str, verdict: Verdict, leads: Task | None = None, canary: float = 0.0) -> list[Post]:
    """Report to the fallback team's rooms, where the leads are, on a judged candidate. `canary`: the share it serves.

    `leads` is the task that routes, where the adapter is another task's: a question has no rooms of its own.
    """
    trial = Trial(canary, ended=False) if verdict.promoted and canary else None
    report = LearningReport(task.name, adapter, verdict.promoted, verdict.reasons, trial=trial)
    return [Post(room, report) for room in (leads or task).leads_rooms]


def withdrawn(task: Task, serving: Serving, leads: Task | None = None) -> list[Post]:
    """Tell those who were told that a champion serves why it was rolled back."""
    now, before = serving.now, serving.before
    figures = Withdrawal(serving.adapter, now.decided, now.corrected, before.decided, before.corrected)
    report = LearningReport(task.name, serving.previous, False, (), figures)
    return [Post(room, report) for room in (leads or task).leads_rooms]


def unlearned(task: Task, gone: Withdrawn, leads: Task | None = None) -> list[Post]:
    """Tell them that an adapter serves no longer because somebody was forgotten, and what serves instead."""
    report = LearningReport(task.name, gone.instead or "", False, (), unlearned=gone.adapter)
    return [Post(room, report) for room in (leads or task).leads_rooms]
