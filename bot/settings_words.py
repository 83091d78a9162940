"""The settings' emoji: what each means on a card, of which no two may be the same on one platform."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.tasks import Label, Vocabulary
from bot.platforms import Kind
from bot.settings_values import Table, Values

_WHERE = "conversation.emoji."
_USUAL = {
    "take": {"slack": "eyes", "telegram": "👀", "web": "👀"},
    "done": {"slack": "white_check_mark", "telegram": "👌", "web": "✅"},  # ✅ is no reaction in Telegram
    "wrong": {"slack": "-1", "telegram": "👎", "web": "👎"},
    "send": {"slack": "outbox_tray", "telegram": "🕊", "web": "📤"},
}
"""What an act's emoji is where the settings do not say."""


@dataclass(frozen=True, slots=True)
class Words:
    """Reads emoji, in the normal form of their platforms."""

    values: Values
    kinds: Mapping[str, Kind]

    def emoji(self, platform: str, written: str, where: str) -> str:
        """The normal form; `where` is the whole key."""
        try:
            return self.kinds[platform].emoji(written)
        except ValueError as error:
            self.values.mistake(f"{where}: {error}")
            return written

    def vocabulary(self, table: Table, send_prefix: str) -> Vocabulary:
        """What emoji mean besides teams; for what is not written, the usual ones."""
        self.values.unknown(table, set(_USUAL), _WHERE)
        acts = {act: self._act(table, act) for act in _USUAL}
        self._unlike(table, acts)
        return Vocabulary(**acts, send_prefix=send_prefix)

    def _act(self, table: Table, act: str) -> dict[str, str]:
        usual = {platform: emoji for platform, emoji in _USUAL[act].items() if platform in self.kinds}
        chosen = usual | self.values.by_platform(table, act, _WHERE)
        return {platform: self.emoji(platform, text, f"{_WHERE}{act}.{platform}") for platform, text in chosen.items()}

    def _unlike(self, table: Table, acts: Mapping[str, Mapping[str, str]]) -> None:
        """No two acts with one emoji. What was written is right; the usual one gives way."""
        written = [(act, p) for act in acts for p in acts[act] if _is_written(table, act, p)]
        usual = [(act, p) for act in acts for p in acts[act] if not _is_written(table, act, p)]
        seen: dict[tuple[str, str], str] = {}
        for act, platform in [*written, *usual]:
            emoji = acts[act][platform]
            first = seen.setdefault((platform, emoji), act)
            if first != act:
                also = "" if (act, platform) in written else f" (it is the usual one for {act}, too)"
                self.values.mistake(
                    f"{_WHERE}{act}.{platform}: {emoji} already means {first}{also}; write another one here"
                )

    def teams_apart(self, table: Table, vocabulary: Vocabulary, labels: Iterable[tuple[str, Label]]) -> None:
        """No label's emoji may mean something else, too; `labels` come with the keys they stand under."""
        acts = {act: getattr(vocabulary, act) for act in _USUAL}
        taken = {(p, emoji): act for act, emojis in acts.items() for p, emoji in emojis.items()}
        for where, label in labels:
            for platform, emoji in label.emoji.items():
                if (act := taken.get((platform, emoji))) is not None:
                    key = f"{_WHERE}{act}.{platform}"
                    usual = "" if _is_written(table, act, platform) else " as long as the settings say nothing else"
                    self.values.mistake(
                        f"{where}emoji.{platform}: {emoji} already means {act}{usual}; "
                        f"give the label another one, or write another one for {key}"
                    )


def _is_written(table: Table, act: str, platform: str) -> bool:
    row = table.get(act)
    return isinstance(row, dict) and platform in row
