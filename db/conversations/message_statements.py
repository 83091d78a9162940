"""The statements that store messages: each takes any number of them as arrays, in one round trip."""

from sqlalchemy import TextClause, text

from bot.domain.tasks import NOT_A_REQUEST
from db.engine import CHANNEL

_SAID = """
    SELECT * FROM unnest(
        CAST(:platform AS text[]), CAST(:chat AS text[]), CAST(:message_id AS text[]), CAST(:thread AS text[]),
        CAST(:author_id AS text[]), CAST(:author_name AS text[]), CAST(:language AS text[]),
        CAST(:external AS boolean[]), CAST(:text AS text[]), CAST(:media AS text[]), CAST(:cites AS text[]),
        CAST(:opens AS boolean[]),
        CAST(:at AS timestamptz[]), CAST(:heard AS timestamptz[]), CAST(:conversation AS bigint[])
    ) WITH ORDINALITY AS said(
        platform, chat, message_id, thread, author_id, author_name, language,
        external, text, media, cites, opens, at, heard, conversation, n
    )
"""
_LANGUAGE = """
    coalesce((
        SELECT chose.language FROM preferences chose
        WHERE chose.platform = said.platform AND chose.person_id = said.author_id
    ), said.language)
"""
"""The language the author chose, or else what their platform reports."""
_COLUMNS = """
    conversation_id, platform, chat, message_id, thread, author_id, author_name,
    language, external, text, media, cites, opens, at
"""
_VALUES = f"""
    said.platform, said.chat, said.message_id, said.thread, said.author_id, said.author_name,
    {_LANGUAGE}, said.external, said.text, CAST(said.media AS jsonb), CAST(said.cites AS jsonb),
    said.opens, said.at
"""

_OVER = f"{{of}}.state = 'closed' AND coalesce({{of}}.label, '') = '{NOT_A_REQUEST}'"
"""The conversation asked for nothing: later messages do not belong to it, since they may ask for something."""

ALONE: TextClause = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(key, 1)) FROM unnest(CAST(:keys AS text[])) key"
)
"""Keeps other messages out of these chats; locks in one order everywhere, so that two transactions never deadlock."""

FOUND: TextClause = text(f"""
    SELECT known.id AS known, known.moved_from IS NOT NULL AND known.at <> said.at AS another, CASE
        WHEN said.opens THEN NULL
        WHEN said.thread IS NULL THEN (
            SELECT newest.id FROM (
                SELECT * FROM conversations c
                WHERE c.platform = said.platform AND c.chat = said.chat AND c.person_id = said.author_id
                    AND c.thread IS NULL
                ORDER BY c.id DESC LIMIT 1
            ) newest
            WHERE newest.left_at IS NULL AND NOT ({_OVER.format(of="newest")}) AND CASE
                WHEN newest.state = 'closed' THEN newest.closed_at >= said.heard - CAST(:reopen AS interval)
                ELSE newest.last_at >= said.at - CAST(:idle AS interval)
                    OR coalesce(newest.spoken_at >= said.heard - CAST(:idle AS interval), false) END
        )
        ELSE coalesce((
            SELECT CASE WHEN {_OVER.format(of="theirs")} THEN NULL ELSE theirs.id END
            FROM messages m JOIN conversations theirs ON theirs.id = m.conversation_id
            WHERE m.platform = said.platform AND m.chat = said.chat AND m.thread = said.thread
            ORDER BY m.id DESC LIMIT 1
        ), (
            SELECT c.id FROM conversations c
            WHERE c.platform = said.platform AND c.chat = said.chat AND c.person_id = said.author_id
                AND c.state = 'new' AND c.last_at >= said.at - CAST(:settle AS interval)
            ORDER BY c.id DESC LIMIT 1
        )) END AS joined
    FROM ({_SAID}) said
    LEFT JOIN messages known
        ON known.platform = said.platform AND known.chat = said.chat AND known.message_id = said.message_id
    ORDER BY said.n
""")  # noqa: S608 - nothing of it is anybody's but ours
"""For each message: the stored message with its number, whether that is another one, and the conversation it joins.

People's messages are timed by their platform, our own actions by our own clock.
"""

OPENING: TextClause = text(f"""
    WITH said AS MATERIALIZED ({_SAID}), opened AS (
        INSERT INTO conversations (
            platform, chat, thread, person_id, person_name, language, external, state,
            started_at, last_at, heard_at, version, asked, asked_for_words, resting
        )
        SELECT said.platform, said.chat, said.thread, said.author_id, said.author_name, {_LANGUAGE}, said.external,
            'new', said.at, said.at, said.heard, 1, false, false, false
        FROM said ORDER BY said.n
        RETURNING id, platform, chat, person_id
    )
    INSERT INTO messages ({_COLUMNS})
    SELECT opened.id, {_VALUES}
    FROM said JOIN opened
        ON opened.platform = said.platform AND opened.chat = said.chat AND opened.person_id = said.author_id
    ORDER BY said.n
    RETURNING conversation_id, platform, chat, message_id, pg_notify('{CHANNEL}', :change)
""")  # noqa: S608
"""Stores messages that each open a conversation; no two are by one author in one chat."""

JOINING: TextClause = text(f"""
    WITH said AS MATERIALIZED ({_SAID}), grown AS (
        UPDATE conversations c SET
            version = c.version + 1,
            last_at = greatest(c.last_at, said.at),
            heard_at = greatest(c.heard_at, said.heard),
            resting = false,
            state = CASE WHEN c.state = 'closed' AND c.label IS NULL THEN 'new' ELSE c.state END,
            erased_at = NULL,
            emptied_at = NULL,
            person_name = CASE
                WHEN c.person_id = said.author_id AND said.author_name <> '' THEN said.author_name
                ELSE c.person_name END,
            language = CASE
                WHEN c.person_id = said.author_id THEN coalesce({_LANGUAGE}, c.language) ELSE c.language END
        FROM said WHERE c.id = said.conversation
    )
    INSERT INTO messages ({_COLUMNS})
    SELECT said.conversation, {_VALUES}
    FROM said ORDER BY said.n
    RETURNING pg_notify('{CHANNEL}', :change)
""")  # noqa: S608
"""Stores messages in existing conversations, no two in the same one.

The person's name and language become those of this message. A conversation that was closed before any decision, because
its words had been deleted, needs a decision now.
"""
