"""Secrets from files: one that `NAME_FILE` names, or a credential of systemd's or a container's by its name."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.domain.errors import ConfigError

_CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""The folder where systemd puts what `LoadCredential=` names: systemd.exec(5)."""
_MOST = 16_384
"""The most bytes of a secret; a larger file must be the wrong one."""


class SecretFiles(Mapping[str, str]):
    """An environment in which every variable may also be a file.

    A variable that is set has its value. Otherwise the value is the content, without surrounding white space, of the
    file that `NAME_FILE` names, or else of systemd's credential NAME, or NAME in lower case. Each file is read when
    its variable is. Raises ConfigError naming the file, never its content.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __getitem__(self, name: str) -> str:
        named = self._environment.get(f"{name}_FILE")
        if value := self._environment.get(name):
            if named:
                raise ConfigError([f"{name} and {name}_FILE are both set; leave one of them out"])
            return value
        if named:
            return _content(Path(named), f"{name}_FILE")
        if (credential := self._credential(name)) is not None:
            return _content(credential, f"the credential {name}")
        return self._environment[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)

    def _credential(self, name: str) -> Path | None:
        folder = self._environment.get(_CREDENTIALS)
        if not folder or "/" in name:
            return None
        return next((file for known_as in (name, name.lower()) if (file := Path(folder) / known_as).is_file()), None)


class ReadableSecrets(Mapping[str, str]):
    """An environment that collects the problems of broken files instead of raising at the first.

    A variable whose file is broken is missing here, so that its reader complains of that; `mistakes` has the cause.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._broken: dict[str, tuple[str, ...]] = {}

    @property
    def mistakes(self) -> tuple[str, ...]:
        """What is wrong with the files of the variables that were read."""
        return tuple(mistake for told in self._broken.values() for mistake in told)

    def repeats(self, mistake: str) -> bool:
        """Whether this mistake is about a variable whose file is broken, and so adds nothing to `mistakes`."""
        return any(re.search(rf"\b{re.escape(name)}\b", mistake) for name in self._broken)

    def __getitem__(self, name: str) -> str:
        try:
            return self._environment[name]
        except ConfigError as error:
            self._broken[name] = error.mistakes
            raise KeyError(name) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)


def _content(file: Path, of: str) -> str:
    try:
        with file.open("rb") as opened:
            said = opened.read(_MOST + 1)
        if len(said) > _MOST:
            raise ConfigError([f"{of}: {file} is larger than a secret; name the file that holds it alone"])
        value = said.decode("utf-8").strip()
    except OSError as error:
        raise ConfigError([f"{of}: {file} cannot be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{of}: {file} is no text"]) from error
    if not value:
        raise ConfigError([f"{of}: {file} is empty"])
    return value
