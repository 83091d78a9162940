"""`[platforms]`: the settings of each platform, read by the platform itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.errors import ConfigError, SecretMistake
from bot.platforms import PlatformModule
from bot.secret_files import ReadableSecrets
from bot.settings.values import Table, Values, listed


@dataclass(frozen=True, slots=True)
class Unusable:
    """A platform of the settings of which only the name is known: there are mistakes in its settings or secrets."""


def read_platforms(
    values: Values, kinds: Mapping[str, PlatformModule], environment: Mapping[str, str], table: Table
) -> dict[str, object]:
    """Platform name -> its own Config, or `Unusable`."""
    configs: dict[str, object] = {}
    for name in table:
        if name not in kinds:
            values.mistake(f"platforms.{name}: no such platform; there are {listed(kinds)}")
            continue
        readable = ReadableSecrets(environment)
        try:
            configs[name] = kinds[name].parse(values.table(table, name, "platforms."), readable)
        except ConfigError as error:
            configs[name] = Unusable()
            _note(values, secrets_of(name), [one for one in error.mistakes if not readable.repeats(one)])
        values.secret_mistake(secrets_of(name), *readable.mistakes)
    return configs


def secrets_of(platform: str) -> str:
    """The part of the settings that needs the platform's secrets, as `Settings.demand` knows it."""
    return f"platforms.{platform}"


def _note(values: Values, part: str, mistakes: list[str]) -> None:
    for one in mistakes:
        if isinstance(one, SecretMistake):
            values.secret_mistake(part, one)
        else:
            values.mistake(one)
