"""The app's manifest: the scopes and events that the bot needs, and no more. Pure."""

from collections.abc import Mapping, Sequence

COMMAND = "/switchboard"
SCOPES: Mapping[str, str] = {
    "app_mentions:read": "hear mentions",
    "channels:history": "hear what is said in public channels; find what we said when an answer got lost",
    "channels:read": "see whether a channel is archived or shared with another company, and whether we are in it",
    "chat:write": "speak",
    "commands": f"{COMMAND} and the shortcut",
    "emoji:read": "a workspace's own names for emoji",
    "files:read": "carry attachments to people who could not open them here, or who are on another platform",
    "files:write": "bring attachments from other platforms",
    "groups:history": "the same as channels:history, in private channels",
    "groups:read": "the same as channels:read, in private channels",
    "im:history": "hear direct messages",
    "im:read": "see whether a direct message is one with us",
    "im:write": "open a direct message for a request made by command",
    "reactions:read": "hear emoji",
    "usergroups:read": "leads who are named as a user group",
    "users:read": "a person's name and language, and whether they are of another company",
}
"""Scope -> what it is for."""
EVENTS: Sequence[str] = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "channel_archive",
    "channel_id_changed",
    "channel_shared",
    "channel_unarchive",
    "channel_unshared",
    "emoji_changed",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "reaction_added",
    "reaction_removed",
    "subteam_members_changed",
    "subteam_updated",
    "tokens_revoked",
)
_ABOUT = "Brings each message to the team that owns it"


def manifest(url: str = "") -> Mapping[str, object]:
    """The manifest: for Socket Mode without an address, for HTTP with the address of our /slack/events."""
    where = {"request_url": url} if url else {}
    back = {"redirect_urls": [f"{url.removesuffix('/events')}/oauth_redirect"]} if url else {}
    command = {
        "command": COMMAND,
        "description": "Your requests, the teams, and what leads need",
        "usage_hint": "help | status | teams | route WORDS | forget me",
        "should_escape": True,
    }
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {"name": "Switchboard", "description": _ABOUT, "background_color": "#1F4E79"},
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "switchboard", "always_online": True},
            "slash_commands": [command | ({"url": url} if url else {})],
            "shortcuts": [
                {
                    "name": "Send to a team",
                    "type": "message",
                    "callback_id": "send_to_team",
                    "description": "Make this message a request",
                }
            ],
        },
        "oauth_config": back | {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": where | {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True} | where,
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }


def written(url: str = "") -> str:
    """The manifest as a file, each scope with its reason."""
    head = ["# Slack app manifest of Switchboard: api.slack.com/apps > Create New App > From a manifest"]
    if not url:
        head.append("# For HTTP in place of Socket Mode, see docs/slack.md.")
    return "\n".join([*head, *_yaml(manifest(url), 0)]) + "\n"


def _yaml(value: object, depth: int) -> list[str]:
    pad = "  " * depth
    lines = []
    if isinstance(value, Mapping):
        for key, inside in value.items():
            if isinstance(inside, Mapping | list):
                lines += [f"{pad}{key}:", *_yaml(inside, depth + 1)]
            else:
                lines.append(f"{pad}{key}: {_scalar(inside)}")
    elif isinstance(value, list):
        for item in value:
            first, *rest = _yaml(item, depth + 1) if isinstance(item, Mapping) else [f"  {_scalar(item)}"]
            lines += [f"{pad}- {first.strip()}{_reason(item)}", *rest]
    return lines


def _reason(item: object) -> str:
    return f"  # {SCOPES[item]}" if isinstance(item, str) and item in SCOPES else ""


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value if value.replace("_", "").replace(".", "").replace(":", "").isalnum() else f'"{value}"'
    return str(value)
