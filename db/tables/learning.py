"""What was decided and corrected, and what is learned from it."""

from datetime import datetime

from pgvector.sqlalchemy import Vector
from sqlalchemy import BigInteger, Float, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from bot.domain.languages import UNDETERMINED
from db.tables.base import Table, Words, new_id, to


class DecisionRow(Table):
    """Every decision ever made: only added to."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index(None, "conversation_id", "id"),
        Index(None, "task", "label", "by"),
        Index(None, "at"),
        Index(None, "adapter", "at"),
        Index(None, "evidence", postgresql_using="gin"),
        Index("ix_decisions_rule", "rule", "conversation_id", postgresql_where=text("rule IS NOT NULL")),
    )

    id: Mapped[int] = new_id()
    conversation_id: Mapped[int] = to("conversations.id")
    task: Mapped[str]
    label: Mapped[str]
    by: Mapped[str]
    reason: Mapped[str]
    probabilities: Mapped[dict[str, float]]
    adapter: Mapped[str | None]
    evidence: Mapped[list[int]]
    candidates: Mapped[list[str]]
    actor: Mapped[str | None]
    at: Mapped[datetime]
    voices: Mapped[list[dict[str, object]]] = mapped_column(server_default=text("'[]'"))
    """What each said, the loudest first."""
    language: Mapped[str | None]
    """What the text was in, an ISO 639-1 code; of a later decision, what the conversation began in."""
    rule: Mapped[str | None]
    """The name of the rule of the settings that applied; NULL: none did."""


class DecisionCountRow(Table):
    """How many decisions there are, as far as they were counted (`RollupRow`); the newest are not."""

    __tablename__ = "decision_counts"

    platform: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    by: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True, server_default=UNDETERMINED)
    count: Mapped[int] = mapped_column(BigInteger)


class RuleCountRow(Table):
    """How often each rule of the settings applied, as far as that was counted together with the decisions."""

    __tablename__ = "rule_counts"

    rule: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class RollupRow(Table):
    """The last row that a count has in it."""

    __tablename__ = "rollups"

    name: Mapped[str] = mapped_column(primary_key=True)
    up_to: Mapped[int] = mapped_column(BigInteger)


class CorrectionRow(Table):
    """What leads ruled. At most one row a conversation and task stands; the others were withdrawn, never deleted."""

    __tablename__ = "corrections"
    __table_args__ = (
        Index(
            "uq_corrections_standing",
            "conversation_id",
            "task",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index(None, "lead"),
        Index("ix_corrections_disputed", "conversation_id", postgresql_where=text("disputed AND withdrawn_at IS NULL")),
    )

    id: Mapped[int] = new_id()
    conversation_id: Mapped[int] = to("conversations.id")
    task: Mapped[str]
    before: Mapped[str | None]
    label: Mapped[str]
    lead: Mapped[str]
    """`platform:id`."""
    at: Mapped[datetime]
    confirms: Mapped[bool]
    disputed: Mapped[bool]
    agreeing: Mapped[int] = mapped_column(Integer, server_default="1")
    """Leads who said so."""
    withdrawn_at: Mapped[datetime | None]


class ExampleRow(Table):
    """A labelled text; with a vector it is part of the memory."""

    __tablename__ = "examples"
    __table_args__ = (
        Index(
            "uq_examples_file",
            "task",
            "text_key",
            "label",
            "source",
            unique=True,
            postgresql_where=text("conversation_id IS NULL"),
        ),
        Index(
            "uq_examples_ruling",
            "conversation_id",
            "task",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL AND source IN ('correction', 'confirmation')"),
        ),
        Index(
            "uq_examples_tap",
            "conversation_id",
            "task",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL AND source = 'tap'"),
        ),
        Index(None, "task", "text_key"),
        Index(
            "ix_examples_corrected",
            "task",
            "text_key",
            postgresql_where=text("withdrawn_at IS NULL AND source IN ('correction', 'tap')"),
        ),
        Index(None, "embedder", "id", postgresql_where=text("withdrawn_at IS NULL")),
        Index("ix_examples_without_vector", "id", postgresql_where=text("withdrawn_at IS NULL AND embedder IS NULL")),
        Index(
            "ix_examples_recorded",
            "task",
            "recorded_at",
            postgresql_where=text("withdrawn_at IS NULL AND source = 'correction'"),
        ),
        Index(None, "lead", "recorded_at", postgresql_where=text("lead IS NOT NULL")),
        Index(
            "ix_examples_held", "conversation_id", postgresql_where=text("held IS NOT NULL AND withdrawn_at IS NULL")
        ),
        Index("ix_examples_of_conversation", "conversation_id", postgresql_where=text("conversation_id IS NOT NULL")),
        Index("ix_examples_lives", "task", "id", postgresql_where=text("source = 'correction'")),
        Index(None, "changed"),
    )

    id: Mapped[int] = new_id()
    task: Mapped[str]
    text: Mapped[str] = mapped_column(Words)
    text_key: Mapped[str]
    label: Mapped[str]
    source: Mapped[str]
    side: Mapped[str]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    conversation_id: Mapped[int | None] = to("conversations.id")
    vector: Mapped[list[float] | None] = mapped_column(Vector())
    embedder: Mapped[str | None]
    origin: Mapped[str] = mapped_column(Words, server_default="")
    """The name of the file it came from."""
    quarantined: Mapped[bool]
    """It teaches nobody; `held` says why."""
    held: Mapped[str | None]
    lead: Mapped[str | None]
    """On whose word, `platform:id`; None: on no lead's."""
    weight: Mapped[float] = mapped_column(Float, server_default="1")
    """How much it counts in the memory beside others."""
    accepted_by: Mapped[str | None]
    """Who let it teach by command after it was held back."""
    retired_by: Mapped[str | None]
    """The adapter that serves and gets its text right without it; only the very text is known by heart then."""
    changed: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The transaction that wrote the row last; the database itself sees to it, whoever writes."""
    withdrawn_at: Mapped[datetime | None]


class AdapterRow(Table):
    """A trained LoRA."""

    __tablename__ = "adapters"

    task: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(Words)
    base: Mapped[str] = mapped_column(Words)
    codes: Mapped[dict[str, str]]
    temperature: Mapped[float]
    made_at: Mapped[datetime]
    mixture: Mapped[dict[str, float]] = mapped_column(server_default=text("'{}'"))
    """Voice -> weight; empty: the usual ones."""
    proved: Mapped[list[list[object]] | None] = mapped_column(JSONB(none_as_null=True))
    """How often that mixture was right by how sure it was (`asking.Record`); NULL: nobody counted."""
    digest: Mapped[str | None]
    """Of its files as they were judged; NULL: they are not looked at."""
    scope: Mapped[dict[str, list[float] | float] | None] = mapped_column(JSONB(none_as_null=True))
    """What one's own texts look like to it (`scope.Scope`); NULL: there were too few."""
    retires_at: Mapped[datetime | None]
    """When it stops serving, since somebody whose texts it learned from was forgotten; NULL: nobody was."""


class PromotionRow(Table):
    """Where the pointer to the serving adapter has been; the newest row is where it is."""

    __tablename__ = "promotions"
    __table_args__ = (Index(None, "task", "id"),)

    id: Mapped[int] = new_id()
    task: Mapped[str]
    adapter: Mapped[str]
    by: Mapped[str]
    reason: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime]
    previous: Mapped[int | None] = to("promotions.id")
    """The row a rollback goes back to."""


class ShadowRow(Table):
    """What a candidate that nobody hears would have decided."""

    __tablename__ = "shadow_decisions"
    __table_args__ = (UniqueConstraint("task", "adapter", "conversation_id"),)

    id: Mapped[int] = new_id()
    task: Mapped[str]
    adapter: Mapped[str]
    conversation_id: Mapped[int] = to("conversations.id")
    label: Mapped[str]
    at: Mapped[datetime]


class LabelCodeRow(Table):
    """The code of a label with a base model, given for life: rows are never changed nor deleted."""

    __tablename__ = "label_codes"
    __table_args__ = (UniqueConstraint("base", "task", "code"),)

    base: Mapped[str] = mapped_column(Words, primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]


class LabelChangeRow(Table):
    """Who renamed, merged, split or retired a label, and when: only added to."""

    __tablename__ = "label_changes"
    __table_args__ = (Index(None, "task", "id"),)

    id: Mapped[int] = new_id()
    task: Mapped[str]
    kind: Mapped[str]
    before: Mapped[str]
    after: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    touched: Mapped[dict[str, float]]
    """How many examples, corrections, conversations, adapters and codes followed."""


class CycleRow(Table):
    """A learning cycle, from request to verdict."""

    __tablename__ = "cycles"
    __table_args__ = (
        UniqueConstraint("task", "key"),
        Index("uq_cycles_waiting", "task", unique=True, postgresql_where=text("phase = 'requested'")),
    )

    id: Mapped[int] = new_id()
    task: Mapped[str]
    key: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    phase: Mapped[str]
    progress: Mapped[float]
    adapter: Mapped[str | None]
    champion: Mapped[str | None]
    """Against whom it was judged; NULL: nobody served."""
    claim: Mapped[str | None]
    """Of whoever holds it: a new one with every claim."""
    started_at: Mapped[datetime | None]
    """When its training set was drawn up."""
    forgotten_at: Mapped[datetime | None]
    """When somebody was forgotten whose words that set held: it concludes nothing, and no copy of the set may stay."""
    concluded_at: Mapped[datetime | None]
    promoted: Mapped[bool | None]
    reasons: Mapped[list[str]]
    figures: Mapped[dict[str, float]]
    problem: Mapped[str] = mapped_column(Words)


class TickRow(Table):
    """Up to which run of its schedule a task was looked after, so that what was missed can be made up for."""

    __tablename__ = "schedule_ticks"

    task: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class DigestRow(Table):
    """A digest that was owed to the leads: once for each run of its schedule, over all processes."""

    __tablename__ = "digests"

    task: Mapped[str] = mapped_column(primary_key=True)
    tick: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class ComparisonRow(Table):
    """Whether the fine-tuned model was worth it: once for each run of the schedule, over all processes. No text."""

    __tablename__ = "comparisons"

    task: Mapped[str] = mapped_column(primary_key=True)
    tick: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    messages: Mapped[int]
    ruling: Mapped[str]
    gain: Mapped[float | None]
    margin: Mapped[float | None]
    verdict: Mapped[str]
    adapter: Mapped[str | None]
    currency: Mapped[str]
    arms: Mapped[list[dict[str, object]]]
    """Each as `report_posts.ReportedArm`."""
