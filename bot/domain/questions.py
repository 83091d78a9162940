"""The further questions about a conversation: their answers, what a card shows, and which rooms are alerted. Pure.

They never decide where a conversation goes, and people are not asked about them: an unsure answer shows how unsure it
is, and has no consequences.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.consequences import Consequences, Effects, Follows, together
from bot.domain.conversations import StandingAlert, StandingCard
from bot.domain.decisions import Author, Decision, NoPrediction, Opinion, Reason, decide
from bot.domain.guards import Held
from bot.domain.messages import MessageRef, Place
from bot.domain.posts import Card, Post
from bot.domain.question_posts import Alert, QuestionAnswer, on_a_card_of
from bot.domain.several import NO, one_of_several
from bot.domain.suggestions import nothing_to_suggest, solved_share
from bot.domain.tasks import Task

_CERTAIN = (Author.LEAD, Author.RULE)
"""The authors that do not guess."""
_SILENT = (None, Reason.MODEL_DOWN)
"""Reasons of voices that have no opinion now but may have one in a moment."""


@dataclass(frozen=True, slots=True)
class Said:
    """What leads and the team said about an answer."""

    disputed: bool = False
    looked: bool = False
    """Whether somebody of the team looked at the card: then nothing is held back any more."""


def answered(task: Task, opinions: Sequence[Opinion | NoPrediction], language: str | None = None) -> Decision | None:
    """The likeliest label, however unsure. None: no voice has an opinion now, and it is asked again."""
    made = one_of_several(task, decide(task, opinions, may_ask=True, language=language), opinions)
    if not made.probabilities and any(isinstance(o, NoPrediction) and o.reason in _SILENT for o in opinions):
        return None
    return replace(made, candidates=())


def counts(answer: Decision) -> bool:
    """Whether it may have consequences: a lead or a rule said so, or it is as sure as the question requires."""
    if answer.by in _CERTAIN:
        return True
    return bool(answer.probabilities) and answer.by is not Author.FALLBACK and answer.reason is not Reason.UNSURE


def consequences(questions: Sequence[Task], answer: Decision) -> Consequences:
    """The consequences of an answer."""
    task = next((task for task in questions if task.name == answer.task), None)
    if task is None or answer.label not in task.names or not counts(answer):
        return Consequences()
    return task.label(answer.label).consequences


def effects(questions: Sequence[Task], answers: Iterable[Decision]) -> Effects:
    """The effects of all answers on the conversation itself."""
    return together(consequences(questions, answer) for answer in answers)


def shown(
    questions: Sequence[Task], answers: Iterable[Decision], said: Mapping[str, Said] | None = None
) -> tuple[QuestionAnswer, ...]:
    """What a card shows, in the order of the settings. Answers without an opinion behind them are left out."""
    by_task = {answer.task: answer for answer in answers}
    return tuple(
        _shown(task, by_task[task.name], consequences(questions, by_task[task.name]), (said or {}).get(task.name))
        for task in questions
        if task.name in by_task and _is_known(task, by_task[task.name])
    )


def _is_known(task: Task, answer: Decision) -> bool:
    return answer.label in task.names and (answer.by in _CERTAIN or answer.confidence > 0)


def _shown(task: Task, answer: Decision, follows: Consequences, said: Said | None) -> QuestionAnswer:
    said = said or Said()
    kinds = [kind for kind in follows.kinds if not (kind is Follows.HOLD and said.looked)]
    return QuestionAnswer(
        task=task.name,
        label=answer.label,
        title=task.shown(answer.label),
        confidence=answer.confidence,
        by=answer.by,
        legend=_legend(task, task.label(answer.label).team),
        follows=tuple(kind.value for kind in kinds),
        minutes=follows.minutes,
        tell=follows.tell,
        also_to=follows.also_to,
        disputed=said.disputed,
        team=task.label(answer.label).team,
        part_of=task.part_of,
        absent=_absent(task, answer),
        suggests=task.suggests,
        means=task.label(answer.label).means if task.suggests and answer.label != task.fallback else "",
        solved=solved_share(answer) if task.suggests else 0.0,
    )


def _absent(task: Task, answer: Decision) -> bool:
    if nothing_to_suggest(task, answer):
        return True
    return bool(task.part_of) and answer.label == NO and answer.by is not Author.LEAD


def _legend(task: Task, team: str) -> tuple[tuple[str, str, str], ...]:
    """(platform, emoji, title) of the labels that may be meant instead; for a topic those of the same team."""
    beside = [one for one in task.labels if one.team == team]
    return tuple((platform, emoji, one.shown) for one in beside for platform, emoji in one.emoji.items())


def with_answers(posts: Sequence[Post], card: StandingCard | None, answers: tuple[QuestionAnswer, ...]) -> list[Post]:
    """The posts with these answers on the standing card, which is rewritten if no other post does that."""
    told = [
        replace(post, content=replace(post.content, answers=on_a_card_of(post.content.label, answers)))
        if isinstance(post.content, Card) and post.content.moved_to is None
        else post
        for post in posts
    ]
    if any(isinstance(post.content, Card) for post in posts) or card is None:
        return told
    stands = on_a_card_of(card.card.label, answers)
    if card.card.answers == stands:
        return told
    return [*told, Post(card.place, replace(card.card, answers=stands), edits=card.post)]


def with_held(posts: Sequence[Post], card: StandingCard | None, why: Mapping[str, Held | None]) -> list[Post]:
    """The posts with the reasons why what leads said about these questions is not learned yet, on the standing card."""
    current = next(
        (p.content for p in posts if isinstance(p.content, Card) and p.content.moved_to is None),
        None if card is None else card.card,
    )
    if current is None:
        return list(posts)
    return with_answers(posts, card, tuple(_held(one, why) for one in current.answers))


def _held(answer: QuestionAnswer, why: Mapping[str, Held | None]) -> QuestionAnswer:
    held = why.get(answer.task)
    return replace(answer, held="" if held is None or held is Held.DISPUTED else held.value)


# --- other rooms ---


def hearing(questions: Iterable[Task]) -> dict[str, Place]:
    """Key of the settings -> a room that is alerted of an answer."""
    return {
        f"tasks.{task.name}.labels.{label.name}.{key}.{room.platform}": room
        for task in questions
        for label in task.labels
        for key, rooms in (("tell", label.consequences.tell), ("also_to", label.consequences.also_to))
        for room in rooms
    }


def alerts_of(card: Card, ref: MessageRef | None) -> list[Post]:
    """The alerts of the answers on a card that was just posted."""
    return [post for answer in card.answers for post in _alerts(card, answer, ref)]


def _alerts(card: Card, answer: QuestionAnswer, ref: MessageRef | None) -> list[Post]:
    alert = Alert(answer.task, answer.label, answer.title, answer.confidence, answer.by, card.label, ref)
    copy = replace(alert, copies=True, author=card.author, excerpt=card.excerpt)
    return [*(Post(room, alert) for room in answer.tell), *(Post(room, copy) for room in answer.also_to)]


def alerts_now(
    card: StandingCard | None, known: Sequence[StandingAlert], now: Sequence[QuestionAnswer], team: str
) -> list[Post]:
    """The alerts and changes of alerts that follow from these answers, for rooms alerted before and new ones.

    `team` is the one that has the conversation now. None while the card is not posted: then its rooms are alerted once
    it is.
    """
    if card is None or card.ref is None:
        return []
    posts = []
    for one in known:
        changed = _changed(one.alert, now, team, card.ref)
        if changed != one.alert:
            posts.append(Post(one.place, changed, edits=one.post))
    told = {(one.place, one.alert.task, one.alert.label, one.alert.copies) for one in known}
    fresh = alerts_of(replace(card.card, answers=tuple(now)), card.ref)
    return [*posts, *(post for post in fresh if _place_of(post) not in told)]


def _changed(alert: Alert, now: Sequence[QuestionAnswer], team: str, card: MessageRef) -> Alert:
    """The alert as these answers, this team and this card leave it; one that no longer counts keeps what it said."""
    if not any(_follows(alert, answer) for answer in now):
        return replace(alert, withdrawn=True)
    return replace(alert, withdrawn=False, team=team, card=card)


def _follows(alert: Alert, answer: QuestionAnswer) -> bool:
    """Whether the alert still follows from the answer."""
    kind = Follows.ALSO_TO if alert.copies else Follows.TELL
    return (alert.task, alert.label) == (answer.task, answer.label) and kind in answer.follows


def _place_of(post: Post) -> tuple[Place, str, str, bool] | None:
    if not isinstance(post.content, Alert):
        return None
    return post.place, post.content.task, post.content.label, post.content.copies
