"""What was decided and corrected, and what is learned from it."""

from datetime import datetime

from pgvector.sqlalchemy import Vector
from sqlalchemy import BigInteger, Float, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from bot.domain.languages import UNDETERMINED
from db.tables.base import Table, Words, new_id, to


class DecisionRow(Table):
    """Every decision ever made; rows are only added."""

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
    """Each voice's opinion, the heaviest first."""
    language: Mapped[str | None]
    """The text's language, an ISO 639-1 code; for a later decision, the conversation's first language."""
    rule: Mapped[str | None]
    """The name of the settings' rule that applied; NULL: none did."""


class DecisionCountRow(Table):
    """The number of decisions counted so far (up to `RollupRow`), without the newest ones."""

    __tablename__ = "decision_counts"

    platform: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    by: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True, server_default=UNDETERMINED)
    count: Mapped[int] = mapped_column(BigInteger)


class RuleCountRow(Table):
    """How often each rule of the settings applied, counted together with the decisions."""

    __tablename__ = "rule_counts"

    rule: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class RollupRow(Table):
    """The last row that a stored count includes."""

    __tablename__ = "rollups"

    name: Mapped[str] = mapped_column(primary_key=True)
    up_to: Mapped[int] = mapped_column(BigInteger)


class CorrectionRow(Table):
    """Leads' rulings. At most one row for a conversation and task stands; withdrawn ones are never deleted."""

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
    """How many leads said so."""
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
    """It does not teach; `held` says why."""
    held: Mapped[str | None]
    lead: Mapped[str | None]
    """The lead who gave the label, `platform:id`; None: no lead did."""
    weight: Mapped[float] = mapped_column(Float, server_default="1")
    """How much it counts in the memory compared with other examples."""
    accepted_by: Mapped[str | None]
    """Who let it teach, by command, after it was held back."""
    retired_by: Mapped[str | None]
    """The serving adapter that gets its text right unaided: the memory then uses the correction for the very text
    alone."""
    changed: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The transaction that wrote the row last; a trigger sets it, whoever writes."""
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
    """Voice -> weight; empty: the usual weights."""
    proved: Mapped[list[list[object]] | None] = mapped_column(JSONB(none_as_null=True))
    """How often that mixture was right, by how sure it was (`asking.Record`); NULL: not measured."""
    digest: Mapped[str | None]
    """The digest of its files as they were judged; NULL: its files are not checked."""
    scope: Mapped[dict[str, list[float] | float] | None] = mapped_column(JSONB(none_as_null=True))
    """What texts of its own domain look like to it (`scope.Scope`); NULL: there were too few."""
    retires_at: Mapped[datetime | None]
    """When it stops serving, because a person whose texts it learned from was forgotten; NULL: nobody was."""


class PromotionRow(Table):
    """The history of the pointer to the serving adapter; the newest row is its present place."""

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
    """What a candidate in the shadow would have decided."""

    __tablename__ = "shadow_decisions"
    __table_args__ = (UniqueConstraint("task", "adapter", "conversation_id"),)

    id: Mapped[int] = new_id()
    task: Mapped[str]
    adapter: Mapped[str]
    conversation_id: Mapped[int] = to("conversations.id")
    label: Mapped[str]
    at: Mapped[datetime]


class LabelCodeRow(Table):
    """The code of a label with a base model: no code is given twice, no row deleted; only a rename changes rows."""

    __tablename__ = "label_codes"
    __table_args__ = (UniqueConstraint("base", "task", "code"),)

    base: Mapped[str] = mapped_column(Words, primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]


class LabelChangeRow(Table):
    """Who renamed, merged, split or retired a label, and when; rows are only added."""

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
    """How many examples, corrections, conversations, adapters and codes were changed."""


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
    """The adapter it was judged against; NULL: none served."""
    claim: Mapped[str | None]
    """The token of the process that holds it: a new one with every claim."""
    started_at: Mapped[datetime | None]
    """When the process that holds it began to draw up its training set."""
    forgotten_at: Mapped[datetime | None]
    """When a person was forgotten whose words the set held: it concludes nothing, and no copy of the set may stay."""
    concluded_at: Mapped[datetime | None]
    promoted: Mapped[bool | None]
    reasons: Mapped[list[str]]
    figures: Mapped[dict[str, float]]
    problem: Mapped[str] = mapped_column(Words)


class TickRow(Table):
    """The last scheduled run for which a task was looked at, so that missed runs can be made up for."""

    __tablename__ = "schedule_ticks"

    task: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class DigestRow(Table):
    """A digest owed to the leads: once for each scheduled run, across all processes."""

    __tablename__ = "digests"

    task: Mapped[str] = mapped_column(primary_key=True)
    tick: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class ComparisonRow(Table):
    """Whether the fine-tuned model was worth it: once for each scheduled run, across all processes. Holds no text."""

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
    """The arms, each as `report_posts.ReportedArm`."""
