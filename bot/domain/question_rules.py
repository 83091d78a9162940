"""What the emoji on a conversation's cards say about the further questions. Pure; permissions were checked before."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bot.domain import reaction_rules
from bot.domain.consequences import Follows
from bot.domain.conversations import CardState, LeadLabel, Mark, PendingReactions, QuestionState, label_by_leads
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import Reaction, chosen
from bot.domain.posts import ON_THE_CARD, Post, WrongTeam
from bot.domain.question_posts import QuestionAnswer
from bot.domain.questions import Said, counts, effects, shown
from bot.domain.reaction_rules import Act, Statement, names, wrong_now
from bot.domain.several import NO, toggled
from bot.domain.tasks import Task, Vocabulary
from bot.domain.topics import asked_of, standing_of, topics_of


def read(task: Task, questions: Sequence[Task], vocabulary: Vocabulary, reaction: Reaction) -> Statement | None:
    """What the reaction says about the team or a question; None: it means nothing to us."""
    said = reaction_rules.read(task, vocabulary, reaction)
    return said or next((one for of in questions if (one := _read(of, reaction)) is not None), None)


def _read(question: Task, reaction: Reaction) -> Statement | None:
    picked = chosen(reaction.emoji)
    if picked is None:
        label = question.label_of_emoji(reaction.ref.platform, reaction.emoji)
        return None if label is None else Statement(reaction, Act.NAME, label, task=question.name)
    via, word = picked
    named = next((label for label in question.names if spelled(question, label) == word), None)
    return None if named is None else Statement(reaction, Act.NAME, named, via, task=question.name)


def spelled(question: Task, label: str) -> str:
    """A label of a question in the form of `messages.choice`, distinct from every team."""
    return f"{question.name}/{label}"


def of_its_team(questions: Sequence[Task], pending: PendingReactions, team: str | None) -> PendingReactions:
    """The reactions without answers that are topics of a team that no longer has the conversation."""
    answers, first = pending.answers, pending.first_answers
    return replace(
        pending,
        answers=standing_of(questions, answers, team),
        first_answers=standing_of(questions, first, team),
    )


def states(
    questions: Sequence[Task], pending: PendingReactions, said: Sequence[Statement], team: str | None = None
) -> tuple[QuestionState, ...]:
    """What leads say about each question now, and the decision that follows if that is a new answer.

    A lead who names a topic of another team than the present one counts once that team has the conversation.
    """
    return tuple(_state(question, pending, said, team) for question in questions)


def _state(question: Task, pending: PendingReactions, said: Sequence[Statement], team: str | None) -> QuestionState:
    meant = topics_of(question, team or "") if question.asks_topics else question.names
    mine = [s for s in said if s.task == question.name and s.label in meant and names(s, said)]
    first = next((one for one in pending.first_answers if one.task == question.name), None)
    label = partial(_named, question, first)
    marks = [Mark(label(s), s.reaction.actor, s.reaction.at, s.reaction.ref, s.reaction.heard) for s in mine]
    lead_label = label_by_leads(marks, first.label if first is not None else "")
    return QuestionState(question.name, lead_label, _decision(question, pending, first, lead_label))


def _named(question: Task, first: Decision | None, said: Statement) -> str:
    """The label that is meant. Where several may be right, an emoji adds one not found and removes one found."""
    toggles = question.part_of and not said.via
    return toggled(first.label if first is not None else NO) if toggles else said.label


def _decision(
    question: Task, pending: PendingReactions, first: Decision | None, lead_label: LeadLabel | None
) -> Decision | None:
    now = next((one for one in pending.answers if one.task == question.name), None)
    if lead_label is not None:
        if now is not None and now.label == lead_label.label and counts(now):
            return None
        return Decision(question.name, lead_label.label, Author.LEAD, Reason.CORRECTED, actor=lead_label.lead.key)
    if first is None:
        # Leads alone had answered, as where the question came later: it is open again
        withdrawn = Decision(question.name, question.fallback, Author.FALLBACK, Reason.WITHDRAWN)
        return withdrawn if now is not None and now.by is Author.LEAD else None
    if now is None or (now.label == first.label and now.by is not Author.LEAD):
        return None
    # What was a guess before leads spoke is a guess again, without consequences
    return first if first.reason is Reason.UNSURE else replace(first, reason=Reason.WITHDRAWN)


def answers_now(pending: PendingReactions, found: Sequence[QuestionState]) -> tuple[Decision, ...]:
    """The answer to each question, given what leads say."""
    decided = {state.task: state.decision for state in found if state.decision is not None}
    kept = [one for one in pending.answers if one.task not in decided]
    return (*kept, *decided.values())


def concluded(
    questions: Sequence[Task],
    pending: PendingReactions,
    standing: CardState,
    said: Sequence[Statement],
    team: str | None = None,
) -> tuple[CardState, tuple[QuestionAnswer, ...]]:
    """The state with the questions in it, and the answers that the card shows from now on.

    `team`: the team that then has it. A reaction on the card that counts shows that somebody has looked at it.
    """
    found = states(questions, pending, said, team)
    answers, looked = answers_now(pending, found), bool(said)
    lacks = any(one.asks_topics for one in asked_of(questions, team)) and not any(
        one.asks_topics and one.name in {answer.task for answer in answers} for one in questions
    )
    disputed = {s.task: s.lead_label is not None and s.lead_label.disputed for s in found}
    told = {task: Said(contested, looked or not _holds(pending, task)) for task, contested in disputed.items()}
    whole = replace(standing, questions=found, looked=looked, effects=effects(questions, answers), lacks_topic=lacks)
    return whole, _held_as_before(pending, shown(questions, answers, told))


def _held_as_before(pending: PendingReactions, answers: tuple[QuestionAnswer, ...]) -> tuple[QuestionAnswer, ...]:
    """The answers with the card's present marks: whether one is learned is known only when it is stored."""
    card = pending.card.card.answers if pending.card is not None else ()
    held = {(one.task, one.label): one.held for one in card}
    return tuple(replace(one, held=held.get((one.task, one.label), "")) for one in answers)


def _holds(pending: PendingReactions, task: str) -> bool:
    """Whether the card shows that something is held back; once released, it stays so."""
    if pending.card is None:
        return True
    return any(Follows.HOLD in one.follows for one in pending.card.card.answers if one.task == task)


# --- labels without an emoji ---


def wrong_answers(questions: Sequence[Task], pending: PendingReactions, said: Sequence[Statement]) -> list[Post]:
    """The question to a lead who says that an answer on the card is wrong: buttons for labels that no emoji names.

    The buttons vanish once nobody says so any more.
    """
    platform = pending.card.place.platform if pending.card is not None else ""
    offered = {content.question for _, content in pending.asking if isinstance(content, WrongTeam)}
    if wrong_now(pending, said):
        return [
            Post(ON_THE_CARD, WrongTeam(choices, question=one.name, titles=tuple(map(one.shown, choices))))
            for one in questions
            if one.name not in offered and (choices := _without_emoji(one, pending, platform))
        ]
    return [] if any(s.act is Act.WRONG for s in said) else _over(pending)


def _without_emoji(question: Task, pending: PendingReactions, platform: str) -> tuple[str, ...]:
    """Every label but the present one, if any of them has no emoji there."""
    now = next((one.label for one in pending.answers if one.task == question.name), None)
    if now is None or now not in question.names:
        return ()
    beside = [label for label in question.labels if label.team == question.label(now).team]
    if all(platform in label.emoji for label in beside if not (question.part_of and label.name == NO)):
        return ()
    return tuple(label.name for label in beside if label.name != now)


def _over(pending: PendingReactions) -> list[Post]:
    now = {one.task: one.label for one in pending.answers}
    return [
        Post(ON_THE_CARD, replace(content, chosen=now.get(content.question, "")), edits=post)
        for post, content in pending.asking
        if isinstance(content, WrongTeam) and content.question
    ]
