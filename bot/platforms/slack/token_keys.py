"""Slack's token, encrypted before anybody stores it: the first key encrypts, every key opens."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.domain.errors import Refused

VARIABLE = "SLACK_TOKEN_KEYS"


class TokenKeys:
    """Encrypts and opens with Fernet keys, the newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises ValueError where one is no key."""
        ours = [Fernet(key) for key in keys]
        self._newest, self._all = ours[0], MultiFernet(ours)

    def sealed(self, token: str) -> str:
        return self._all.encrypt(token.encode()).decode()

    def opened(self, sealed: str) -> str:
        """Raises Refused where none of the keys opens it."""
        try:
            return self._all.decrypt(sealed).decode()
        except InvalidToken as error:
            raise Refused(
                f"platforms.slack: no key in {VARIABLE} opens the token that is stored; add the key that it was "
                "encrypted with behind the new one, or install the app again at /slack/install"
            ) from error

    def renewed(self, sealed: str) -> str:
        """The same under the newest key; unchanged where it is so already. Raises as `opened`."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            self.opened(sealed)
            return self._all.rotate(sealed).decode()
        return sealed
