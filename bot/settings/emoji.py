"""The settings' emoji: what each means on a card; no two meanings share one on a platform."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.tasks import Label, Vocabulary
from bot.platforms import EMOJI_ACTS, MORE_EMOJI_ACTS, PlatformModule
from bot.settings.values import Table, Values

_WHERE = "conversation.emoji."


@dataclass(frozen=True, slots=True)
class EmojiSettings:
    """Reads emoji, in the normal form of their platforms."""

    values: Values
    platform_modules: Mapping[str, PlatformModule]

    def emoji(self, platform: str, written: str, where: str) -> str:
        """The normal form; `where` is the whole key. A mistake is noted."""
        try:
            return self.platform_modules[platform].emoji(written)
        except ValueError as error:
            self.values.mistake(f"{where}: {error}")
            return written

    def vocabulary(self, table: Table, send_prefix: str) -> Vocabulary:
        """The meanings of emoji besides teams, with the usual emoji where the settings name none."""
        self.values.unknown(table, {*EMOJI_ACTS, *MORE_EMOJI_ACTS}, _WHERE)
        acts = {act: self._act(table, act) for act in EMOJI_ACTS}
        return Vocabulary(**self._apart(table, acts), send_prefix=send_prefix)

    def _act(self, table: Table, act: str) -> dict[str, str]:
        usual = {name: module.usual_emoji[act] for name, module in self.platform_modules.items()}
        chosen = usual | self.values.by_platform(table, act, _WHERE)
        return {platform: self.emoji(platform, text, f"{_WHERE}{act}.{platform}") for platform, text in chosen.items()}

    def _apart(self, table: Table, acts: Mapping[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        """The acts, no two with one emoji: written ones stay, usual ones give way, equal written ones are noted."""
        written = [(act, p) for act in acts for p in acts[act] if _is_written(table, act, p)]
        seen: dict[tuple[str, str], str] = {}
        for act, platform in written:
            emoji = acts[act][platform]
            first = seen.setdefault((platform, emoji), act)
            if first != act:
                self.values.mistake(f"{_WHERE}{act}.{platform}: {emoji} already means {first}; write another one here")
        return {
            act: {p: emoji for p, emoji in emojis.items() if (act, p) in written or (p, emoji) not in seen}
            for act, emojis in acts.items()
        }

    def beside_teams(self, table: Table, vocabulary: Vocabulary, labels: Iterable[tuple[str, Label]]) -> Vocabulary:
        """The vocabulary without labels' emoji; `labels` come with the keys they stand under.

        An act's usual emoji gives way to a label's, and the act then has none on that platform; a written one is a
        mistake.
        """
        teams = {(p, emoji): where for where, label in labels for p, emoji in label.emoji.items()}
        kept: dict[str, dict[str, str]] = {act: {} for act in EMOJI_ACTS}
        for act in EMOJI_ACTS:
            for platform, emoji in getattr(vocabulary, act).items():
                where = teams.get((platform, emoji))
                if where is None:
                    kept[act][platform] = emoji
                elif _is_written(table, act, platform):
                    self.values.mistake(
                        f"{where}emoji.{platform}: {emoji} already means {act}; "
                        f"give the label another one, or write another one for {_WHERE}{act}.{platform}"
                    )
        return Vocabulary(**kept, send_prefix=vocabulary.send_prefix)


def _is_written(table: Table, act: str, platform: str) -> bool:
    row = table.get(act)
    return isinstance(row, dict) and platform in row
