"""The settings for messages that are no requests: on or off, with a kind word or none, and their emoji."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.domain.tasks import NOT_A_REQUEST, Label, Task, Vocabulary
from bot.platforms import EMOJI_ACTS, MORE_EMOJI_ACTS, PlatformModule
from bot.settings.emoji import EmojiSettings
from bot.settings.values import Table, Values

_EXAMPLES = Path(__file__).with_suffix(".toml")
_WHERE = "conversation.emoji."


@dataclass(frozen=True, slots=True)
class NoRequestSettings:
    """Reads `conversation.not_a_request`, and the emoji that make a message a request or no request."""

    values: Values
    words: EmojiSettings
    platform_modules: Mapping[str, PlatformModule]

    def tasks(
        self, talk: Table, tasks: Sequence[Task], vocabulary: Vocabulary, languages: Sequence[str]
    ) -> tuple[Task, ...]:
        """The tasks; where the feature is on, the routing one has the label for it."""
        said = self.values.one_of(talk, "not_a_request", ("off", "silent", "reply"), "conversation.")
        for task in tasks:
            if NOT_A_REQUEST in task.names:
                self.values.mistake(
                    f"tasks.{task.name}.labels.{NOT_A_REQUEST}: this name is the bot's own; call the label something "
                    "else, or set conversation.not_a_request instead"
                )
                return tuple(tasks)
        if said == "off":
            return tuple(tasks)
        label = _label(vocabulary, languages)
        return tuple(
            replace(task, labels=(*task.labels, label), kind_word=said == "reply") if task.routes else task
            for task in tasks
        )

    def vocabulary(self, talk: Table, vocabulary: Vocabulary, tasks: Sequence[Task]) -> Vocabulary:
        """The vocabulary with these emoji: a usual one that is taken is left out, a written one is a mistake."""
        table = self.values.table(talk, "emoji", "conversation.")
        taken = {
            (platform, emoji): act for act in EMOJI_ACTS for platform, emoji in getattr(vocabulary, act).items()
        } | {(p, emoji): label.name for task in tasks for label in task.labels for p, emoji in label.emoji.items()}
        found: dict[str, dict[str, str]] = {}
        for act in MORE_EMOJI_ACTS:
            found[act] = self._act(table, act, taken)
            taken |= dict.fromkeys(found[act].items(), act)
        return replace(vocabulary, request=found["request"], no_request=found["no_request"])

    def _act(self, table: Table, act: str, taken: Mapping[tuple[str, str], str]) -> dict[str, str]:
        usual = {
            name: module.more_emoji[act] for name, module in self.platform_modules.items() if act in module.more_emoji
        }
        written = self.values.by_platform(table, act, _WHERE)
        kept: dict[str, str] = {}
        for platform, text in {**usual, **written}.items():
            emoji = self.words.emoji(platform, text, f"{_WHERE}{act}.{platform}")
            other = taken.get((platform, emoji))
            if other is None:
                kept[platform] = emoji
            elif platform in written:
                self.values.mistake(f"{_WHERE}{act}.{platform}: {emoji} already means {other}; write another one here")
        return kept


def _label(vocabulary: Vocabulary, languages: Sequence[str]) -> Label:
    known = tomllib.loads(_EXAMPLES.read_text("utf-8"))
    examples = tuple(text for language, texts in known["examples"].items() if language in languages for text in texts)
    return Label(
        NOT_A_REQUEST,
        means=known["means"],
        examples=examples,
        emoji=vocabulary.no_request,
        title=known["title"].get(languages[0], known["title"]["en"]),
    )
