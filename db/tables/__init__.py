"""The schema: what people said, what was decided, what we owe, and what was learned."""

from db.tables.base import MAX_NAME, Name, Table, Words, storable
from db.tables.conversations import (
    ConversationRow,
    LearnedRoomRow,
    MessagePartRow,
    MessageRow,
    MovedChatRow,
    NoteRow,
    PreferenceRow,
)
from db.tables.failures import FailedItemRow
from db.tables.installations import InstallationRow, OAuthStateRow
from db.tables.leads import CanaryRow, CyclePostRow, ShadowCardRow, ShadowRulingRow
from db.tables.learning import (
    AdapterRow,
    ComparisonRow,
    CorrectionRow,
    CycleRow,
    DecisionCountRow,
    DecisionRow,
    DigestRow,
    ExampleRow,
    LabelChangeRow,
    LabelCodeRow,
    PromotionRow,
    RollupRow,
    RuleCountRow,
    ShadowRow,
    TickRow,
)
from db.tables.posts import PostRow, PressRow, ReactionRow
from db.tables.processes import ProcessRow
from db.tables.schema import SchemaChangeRow
from db.tables.webhooks import WebhookEventRow, WebhookRow
from db.tables.workspace import WorkspaceRow

__all__ = [
    "MAX_NAME",
    "AdapterRow",
    "CanaryRow",
    "ComparisonRow",
    "ConversationRow",
    "CorrectionRow",
    "CyclePostRow",
    "CycleRow",
    "DecisionCountRow",
    "DecisionRow",
    "DigestRow",
    "ExampleRow",
    "FailedItemRow",
    "InstallationRow",
    "LabelChangeRow",
    "LabelCodeRow",
    "LearnedRoomRow",
    "MessagePartRow",
    "MessageRow",
    "MovedChatRow",
    "Name",
    "NoteRow",
    "OAuthStateRow",
    "PostRow",
    "PreferenceRow",
    "PressRow",
    "ProcessRow",
    "PromotionRow",
    "ReactionRow",
    "RollupRow",
    "RuleCountRow",
    "SchemaChangeRow",
    "ShadowCardRow",
    "ShadowRow",
    "ShadowRulingRow",
    "Table",
    "TickRow",
    "WebhookEventRow",
    "WebhookRow",
    "Words",
    "WorkspaceRow",
    "storable",
]
