"""Slack's part of an installation by a browser: codes that are valid once, and the tokens that replace them."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.servers.slack.state import APP, BOT_USER, TEAM, SlackError
from tests.servers.wire import Json, word

CLIENT_ID, CLIENT_SECRET = "1234.5678", "client-secret"


@dataclass
class OAuth:
    """`agrees` is a person pressing Allow on Slack's page."""

    tokens: dict[str, str] = field(default_factory=dict)
    """Token -> its workspace; a removed token is revoked."""
    _codes: dict[str, Json] = field(default_factory=dict)

    def agrees(self, token: str, team: str = TEAM, more: Mapping[str, object] | None = None) -> str:
        """The code with which Slack sends the browser back."""
        code = f"code-{len(self._codes)}"
        self._codes[code] = {
            "app_id": APP,
            "access_token": token,
            "token_type": "bot",
            "scope": "chat:write",
            "bot_user_id": BOT_USER,
            "team": {"id": team, "name": "Company"},
            "authed_user": {"id": "U0INSTALLER"},
            "enterprise": None,
            "is_enterprise_install": False,
            **(more or {}),
        }
        return code

    def access(self, headers: Mapping[str, str], args: Json) -> Json:
        """`oauth.v2.access`: the app proves itself by Basic authentication."""
        try:
            shown = base64.b64decode(headers.get("Authorization", "").removeprefix("Basic ")).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise SlackError("invalid_client_id") from error
        if shown != f"{CLIENT_ID}:{CLIENT_SECRET}":
            raise SlackError("bad_client_secret")
        answer = self._codes.pop(word(args, "code"), None)
        if answer is None:
            raise SlackError("invalid_code")
        self._codes[f"used {word(args, 'code')}"] = {}
        team = answer["team"]
        self.tokens[str(answer["access_token"])] = str(team["id"]) if isinstance(team, dict) else ""
        return answer
