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
    ShadowRow,
    TickRow,
)
from db.tables.posts import PostRow, PressRow, ReactionRow

__all__ = [
    "MAX_NAME",
    "AdapterRow",
    "ComparisonRow",
    "ConversationRow",
    "CorrectionRow",
    "CycleRow",
    "DecisionCountRow",
    "DecisionRow",
    "DigestRow",
    "ExampleRow",
    "FailedItemRow",
    "LabelChangeRow",
    "LabelCodeRow",
    "LearnedRoomRow",
    "MessagePartRow",
    "MessageRow",
    "MovedChatRow",
    "Name",
    "NoteRow",
    "PostRow",
    "PreferenceRow",
    "PressRow",
    "PromotionRow",
    "ReactionRow",
    "RollupRow",
    "ShadowRow",
    "Table",
    "TickRow",
    "Words",
    "storable",
]
