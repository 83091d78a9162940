"""The scopes that methods and events need, by Slack's documentation."""

from collections.abc import Mapping

from tests.servers.slack.state import Channel

_BY_KIND = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
_HISTORY, _READ = "{}:history", "{}:read"

METHODS: Mapping[str, str] = {
    "apps.connections.open": "",
    "auth.test": "",
    "chat.delete": "chat:write",
    "chat.getPermalink": "",
    "chat.postEphemeral": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "conversations.history": _HISTORY,
    "conversations.info": _READ,
    "conversations.open": "im:write",
    "conversations.replies": _HISTORY,
    "emoji.list": "emoji:read",
    "files.completeUploadExternal": "files:write",
    "files.getUploadURLExternal": "files:write",
    "files.info": "files:read",
    "reactions.add": "reactions:write",
    "reactions.get": "reactions:read",
    "reactions.remove": "reactions:write",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
    "users.info": "users:read",
    "views.open": "",
    "views.publish": "",
}
"""Method -> scope; empty: none is needed. Braces stand for the kind of channel."""

EVENTS: Mapping[str, str] = {
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "app_uninstalled": "",
    "channel_archive": "channels:read",
    "channel_id_changed": "",
    "channel_shared": "channels:read",
    "channel_unarchive": "channels:read",
    "channel_unshared": "channels:read",
    "emoji_changed": "emoji:read",
    "member_joined_channel": _READ,
    "message": _HISTORY,
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "tokens_revoked": "",
}
INTERACTIONS = "commands"
"""The scope that slash commands and shortcuts need."""


def needed(table: Mapping[str, str], name: str, channel: Channel | None) -> str:
    """The scope for that method or event there; empty: none, or none that we know."""
    return table.get(name, "").format(_BY_KIND[channel.kind] if channel else "channels")
