"""A team's requests under its new name: rulings, cards, buttons and choices that name it follow in one transaction."""

from datetime import datetime

from sqlalchemy import TextClause, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import choice
from bot.domain.team_changes import Moves, TeamChange
from db.conversations.decisions import move
from db.conversations.reactions import pending_reactions
from db.posts.enqueue import enqueue
from db.tables import ConversationRow, CorrectionRow, ReactionRow

_POSTS: TextClause = text(
    """
    UPDATE posts SET content = content
        || CASE WHEN content->>'label' = :before AND kind <> 'Alert'
            THEN jsonb_build_object('label', :after) ELSE '{}' END
        || CASE WHEN content->>'moved_to' = :before THEN jsonb_build_object('moved_to', :after) ELSE '{}' END
        || CASE WHEN content->'candidates' @> to_jsonb(:before) THEN jsonb_build_object('candidates', (
            SELECT jsonb_agg(CASE WHEN one = to_jsonb(:before) THEN to_jsonb(:after) ELSE one END ORDER BY n)
            FROM jsonb_array_elements(content->'candidates') WITH ORDINALITY AS said (one, n))) ELSE '{}' END
        || CASE WHEN kind = 'Alert' AND content->>'team' = :before
            THEN jsonb_build_object('team', :after) ELSE '{}' END
        || CASE WHEN content->'choices' @> to_jsonb(:before) AND coalesce(content->>'question', '') = ''
            THEN jsonb_build_object('choices', (
            SELECT jsonb_agg(CASE WHEN one = to_jsonb(:before) THEN to_jsonb(:after) ELSE one END ORDER BY n)
            FROM jsonb_array_elements(content->'choices') WITH ORDINALITY AS said (one, n))) ELSE '{}' END
        || CASE WHEN jsonb_typeof(content->'legend') = 'array' AND content->'legend' <> '[]'
            THEN jsonb_build_object('legend', (
            SELECT jsonb_agg(CASE WHEN one->>1 = :before THEN jsonb_set(one, '{1}', to_jsonb(:after)) ELSE one END
                ORDER BY n)
            FROM jsonb_array_elements(content->'legend') WITH ORDINALITY AS said (one, n))) ELSE '{}' END
    WHERE kind IN ('Alert', 'Answer', 'Card', 'Moved', 'Question', 'Reply', 'Solved', 'Split', 'WrongTeam')
        AND conversation_id IN (SELECT id FROM conversations WHERE task = :task)
        AND position(to_jsonb(:before)::text IN content::text) > 0
""".replace(":before", "CAST(:before AS text)").replace(":after", "CAST(:after AS text)")
)
"""Changes every field that holds a label; what people wrote stays, even if it contains the very name."""


_ANSWERS: TextClause = text(
    """
    UPDATE posts SET content = content
        || CASE WHEN kind = 'Alert' THEN jsonb_build_object('label', :after) ELSE '{}' END
        || CASE WHEN kind = 'WrongTeam' THEN jsonb_build_object('choices', (
            SELECT jsonb_agg(CASE WHEN one = to_jsonb(:before) THEN to_jsonb(:after) ELSE one END ORDER BY n)
            FROM jsonb_array_elements(content->'choices') WITH ORDINALITY AS said (one, n))) ELSE '{}' END
        || CASE WHEN kind = 'Card' THEN jsonb_build_object('answers', (
            SELECT jsonb_agg(CASE WHEN one->>'task' = :task AND one->>'label' = :before
                THEN one || jsonb_build_object('label', :after) ELSE one END ORDER BY n)
            FROM jsonb_array_elements(content->'answers') WITH ORDINALITY AS said (one, n))) ELSE '{}' END
    WHERE (kind = 'Alert' AND content->>'task' = :task AND content->>'label' = :before)
        OR (kind = 'WrongTeam' AND content->>'question' = :task AND content->'choices' @> to_jsonb(:before))
        OR (kind = 'Card' AND content->'answers'
            @> jsonb_build_array(jsonb_build_object('task', :task, 'label', :before)))
    RETURNING conversation_id
""".replace(":before", "CAST(:before AS text)")
    .replace(":after", "CAST(:after AS text)")
    .replace(":task", "CAST(:task AS text)")
)
"""Changes every field that holds a label of a further question."""


async def relabel_rulings(session: AsyncSession, task: str, before: str, after: str) -> int:
    """Rename the label in standing rulings; return how many named it."""
    standing = CorrectionRow.task == task, CorrectionRow.withdrawn_at.is_(None)
    ruled = update(CorrectionRow).where(*standing, CorrectionRow.label == before).values(label=after)
    found = len((await session.execute(ruled.returning(CorrectionRow.id))).all())
    was = update(CorrectionRow).where(*standing, CorrectionRow.before == before).values(before=after)
    await session.execute(was)
    return found


async def rename_requests(session: AsyncSession, task: str, before: str, after: str) -> int:
    """Rename the team of requests, open or not, in our posts about them and in leads' choices; return how many
    requests."""
    theirs = update(ConversationRow).where(ConversationRow.task == task, ConversationRow.label == before)
    named = theirs.values(label=after).execution_options(synchronize_session=False)
    found = len((await session.execute(named.returning(ConversationRow.id))).all())
    await session.execute(_POSTS, {"task": task, "before": before, "after": after})
    await _rename_choices(session, choice(before), choice(after))
    return found


async def rename_answers(session: AsyncSession, question: str, before: str, after: str) -> int:
    """Rename the label of a further question in our posts and in leads' choices; return how many requests' posts.

    The answers themselves are decisions of the past, which keep their names and are read by their present ones.
    """
    changed = await session.execute(_ANSWERS, {"task": question, "before": before, "after": after})
    await _rename_choices(session, choice(f"{question}/{before}"), choice(f"{question}/{after}"))
    return len({row.conversation_id for row in changed})


async def _rename_choices(session: AsyncSession, old: str, new: str) -> None:
    chose = update(ReactionRow).where(func.right(ReactionRow.emoji, len(old)) == old)
    via = func.left(ReactionRow.emoji, func.length(ReactionRow.emoji) - len(old))
    await session.execute(chose.values(emoji=via.concat(new)).execution_options(synchronize_session=False))


async def hand_over(session: AsyncSession, task: str, wanted: TeamChange, moves: Moves, now: datetime) -> int:
    """Give the team's open requests to the other team, as a lead would: new cards, old ones struck; return how many."""
    theirs = (
        select(ConversationRow)
        .where(ConversationRow.task == task, ConversationRow.label == wanted.before)
        .where(ConversationRow.state == State.ROUTED)
        .order_by(ConversationRow.id)
        .with_for_update()
    )
    found = (await session.scalars(theirs)).all()
    decision = Decision(task, wanted.after, Author.FALLBACK, Reason.RETIRED, actor=wanted.by)
    for pending in await pending_reactions(session, found):
        await move(session, pending.conversation.id, decision, now)
        await enqueue(session, pending.conversation.id, moves(pending, decision), now)
    # The other team may have topics of its own: the step that asks the questions finds out, and asks nothing if not
    lacking = (
        update(ConversationRow).where(ConversationRow.id.in_([row.id for row in found])).values(lacks_answers=True)
    )
    await session.execute(lacking.execution_options(synchronize_session=False))
    return len(found)
