"""What other programs are told of, once for each webhook: written by the database in the transaction that did it.

Without webhooks in the settings the triggers find an empty table and write nothing.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_HAPPENED = """
    CREATE OR REPLACE FUNCTION webhook_happened() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        told text := TG_ARGV[0];
        event uuid := gen_random_uuid();
        about bigint;
        line text;
        moment timestamptz;
        said jsonb;
    BEGIN
        IF NOT EXISTS (SELECT FROM webhooks WHERE told = ANY (events)) THEN
            RETURN NULL;
        END IF;
        CASE told
        WHEN 'decided' THEN
            about := NEW.conversation_id;
            moment := NEW.at;
            said := jsonb_build_object('task', NEW.task, 'label', NEW.label, 'by', NEW."by", 'reason', NEW.reason,
                'probabilities', NEW.probabilities, 'candidates', to_jsonb(NEW.candidates), 'adapter', NEW.adapter,
                'rule', NEW.rule, 'actor', NEW.actor, 'language', NEW.language);
        WHEN 'corrected' THEN
            about := NEW.conversation_id;
            moment := coalesce(NEW.withdrawn_at, NEW.at);
            said := jsonb_build_object('task', NEW.task, 'before', NEW.before, 'label', NEW.label, 'lead', NEW.lead,
                'confirms', NEW.confirms, 'disputed', NEW.disputed, 'withdrawn', NEW.withdrawn_at IS NOT NULL);
        WHEN 'taken' THEN
            about := NEW.id;
            moment := now();
            said := jsonb_build_object('label', NEW.label, 'by', NEW.taken_by);
        WHEN 'closed' THEN
            about := NEW.id;
            moment := coalesce(NEW.closed_at, now());
            said := jsonb_build_object('label', NEW.label);
        WHEN 'promoted' THEN
            line := 'model ' || NEW.task;
            moment := NEW.at;
            said := jsonb_build_object('task', NEW.task, 'adapter', NEW.adapter, 'by', NEW."by");
        END CASE;
        INSERT INTO webhook_events (event_id, webhook, kind, conversation_id, line, at, data)
        SELECT event, name, told, about, coalesce(line, about::text), moment, said
        FROM webhooks WHERE told = ANY (events);
        RETURN NULL;
    END $$
"""
_TRIGGERS = (
    ("decisions", "webhook_decided", "AFTER INSERT", "", "decided"),
    ("corrections", "webhook_corrected", "AFTER INSERT", "", "corrected"),
    (
        "corrections",
        "webhook_withdrawn",
        "AFTER UPDATE OF withdrawn_at",
        "OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL",
        "corrected",
    ),
    (
        "conversations",
        "webhook_taken",
        "AFTER UPDATE OF taken_by",
        "NEW.taken_by IS NOT NULL AND NEW.taken_by IS DISTINCT FROM OLD.taken_by",
        "taken",
    ),
    (
        "conversations",
        "webhook_closed",
        "AFTER UPDATE OF state",
        "NEW.state = 'closed' AND OLD.state <> 'closed'",
        "closed",
    ),
    ("promotions", "webhook_promoted", "AFTER INSERT", "", "promoted"),
)


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
    )
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger()),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("given_up_at", sa.DateTime(timezone=True)),
    )
    waiting = sa.text("sent_at IS NULL AND given_up_at IS NULL")
    op.create_index("ix_webhook_events_waiting", "webhook_events", ["webhook", "id"], postgresql_where=waiting)
    op.create_index("ix_webhook_events_line", "webhook_events", ["webhook", "line", "id"], postgresql_where=waiting)
    op.create_index(None, "webhook_events", ["webhook", "at"])
    op.execute(_HAPPENED)
    for table, name, when, where, event in _TRIGGERS:
        only = f"WHEN ({where})" if where else ""
        op.execute(
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW {only} EXECUTE FUNCTION webhook_happened('{event}')"
        )


def downgrade() -> None:
    for table, name, *_ in _TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute("DROP FUNCTION webhook_happened()")
    op.drop_table("webhook_events")
    op.drop_table("webhooks")
