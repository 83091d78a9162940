"""What is owed to whom when something was decided. Pure: facts in, posts out."""

from dataclasses import replace

from bot.domain.conversations import Case, Conversation, Next, Pressed, StandingCard
from bot.domain.decisions import Decision, Reason
from bot.domain.learning import Verdict
from bot.domain.messages import MessageRef
from bot.domain.posts import Answer, Card, FollowUp, LearningReport, Moved, Post, Question, WordsPlease
from bot.domain.tasks import Task

EXCERPT = 600
"""Characters of a message that a card shows."""


def routed(task: Task, case: Case, decision: Decision, text: str) -> list[Post]:
    """A decision was made: the person hears which team, the team gets the card, an open question closes."""
    conversation = case.conversation
    language = conversation.person.language
    remembered = decision.reason is Reason.REMEMBERED
    answer = Answer(decision.label, language, remembered, undecided=decision.label == task.fallback)
    closing = _closed(conversation, case.question, decision.label, chosen=False)
    return [
        *closing,
        Post(conversation.place, answer),
        *_card(task, conversation, decision, text, case.messages[0].ref),
    ]


def asked(case: Case, decision: Decision) -> list[Post]:
    """Too unsure: the person chooses among the candidates."""
    conversation = case.conversation
    return [Post(conversation.place, Question(decision.candidates, conversation.person.language))]


def words_please(case: Case) -> list[Post]:
    """Nothing to read: ask for words, once a conversation."""
    conversation = case.conversation
    if conversation.asked_for_words:
        return []
    return [Post(conversation.place, WordsPlease(conversation.person.language))]


def chosen(task: Task, pressed: Pressed, decision: Decision, text: str) -> list[Post]:
    """The person tapped: the buttons go, the team gets the card."""
    conversation = pressed.conversation
    closing = _closed(conversation, pressed.question, decision.label, chosen=True)
    return [*closing, *_card(task, conversation, decision, text, pressed.messages[0].ref)]


def moved(task: Task, conversation: Conversation, card: StandingCard | None, decision: Decision) -> list[Post]:
    """A lead spoke: the old card is struck, the new team gets one, the person hears of it."""
    person = Post(conversation.place, Moved(decision.label, conversation.person.language))
    if card is None:
        return [person]
    struck = Post(card.place, replace(card.card, moved_to=decision.label), edits=card.post)
    return [struck, *_card(task, conversation, decision, card.card.excerpt, card.card.source), person]


def followed_up(said: Next) -> list[Post]:
    """The person wrote more: it goes under the card, where the team reads it."""
    if said.card is None or not said.message.text:
        return []
    content = FollowUp(said.message.author.name, said.message.text)
    return [Post(said.card.place, content, under=said.card.post)]


def learned(task: Task, adapter: str, verdict: Verdict) -> list[Post]:
    """A candidate was judged: the fallback team's rooms, where leads are, hear why."""
    report = LearningReport(task.name, adapter, verdict.promoted, verdict.reasons)
    return [Post(room, report) for room in task.label(task.fallback).deliver_to.values()]


def _closed(conversation: Conversation, question: int | None, label: str, chosen: bool) -> list[Post]:
    if question is None:
        return []
    closed = Question((), conversation.person.language, answered=label, chosen=chosen)
    return [Post(conversation.place, closed, edits=question)]


def _card(task: Task, conversation: Conversation, decision: Decision, text: str, source: MessageRef) -> list[Post]:
    room = task.address(decision.label, conversation.place.platform)
    if room is None:
        return []
    legend = tuple((label.emoji[room.platform], label.name) for label in task.labels if room.platform in label.emoji)
    card = Card(
        conversation=conversation.id,
        label=decision.label,
        excerpt=text[:EXCERPT],
        author=conversation.person.name,
        source=source,
        by=decision.by,
        reason=decision.reason,
        confidence=decision.confidence,
        adapter=decision.adapter,
        legend=legend,
    )
    return [Post(room, card)]
