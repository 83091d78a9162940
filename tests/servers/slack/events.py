"""The payloads Slack sends: events and button presses. Pure."""

from tests.servers.slack.state import APP, BOT_USER, TEAM, Channel, Post, User
from tests.servers.wire import Json


def callback(event: Json, event_id: str, at: float, *, shared: bool) -> Json:
    """The outer event around an inner one."""
    authorization = {
        "enterprise_id": None,
        "team_id": TEAM,
        "user_id": BOT_USER,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": "deprecated",
        "team_id": TEAM,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(at),
        "authorizations": [authorization],
        "is_ext_shared_channel": shared,
    }


def message(post: Post, channel: Channel) -> Json:
    return post.payload() | {
        "channel": channel.id,
        "channel_type": channel.kind,
        "event_ts": post.ts,
    }


def mention(post: Post) -> Json:
    """The second event for one message; it has no channel_type."""
    return post.payload() | {"type": "app_mention", "channel": post.channel, "event_ts": post.ts}


def changed(post: Post, channel: Channel, event_ts: str) -> Json:
    return _about(channel, event_ts, "message_changed") | {
        "message": post.payload(),
        "previous_message": post.edits[-1].payload(),
    }


def deleted(post: Post, channel: Channel, event_ts: str) -> Json:
    return _about(channel, event_ts, "message_deleted") | {
        "deleted_ts": post.ts,
        "previous_message": post.payload(),
    }


def tombstone(post: Post, channel: Channel, event_ts: str) -> Json:
    """What is left of a deleted message that had replies."""
    left = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "hidden": True, "ts": post.ts}
    return _about(channel, event_ts, "message_changed") | {
        "message": left | {"text": "This message was deleted."},
        "previous_message": post.payload(),
    }


def unfurled(post: Post, channel: Channel, event_ts: str) -> Json:
    return _about(channel, event_ts, "message_changed") | {
        "message": post.payload() | {"attachments": [{"from_url": "https://example.com"}]},
        "previous_message": post.payload(),
    }


def _about(channel: Channel, event_ts: str, subtype: str) -> Json:
    return {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": channel.id,
        "channel_type": channel.kind,
        "ts": event_ts,
        "event_ts": event_ts,
    }


def reaction(kind: str, user: str, name: str, post: Post, event_ts: str) -> Json:
    """kind is reaction_added or reaction_removed."""
    return {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": post.channel, "ts": post.ts},
        "item_user": post.user,
        "event_ts": event_ts,
    }


def command(user: User, channel: str, text: str, trigger: str, response_url: str) -> Json:
    """A slash command, whose payload is flat."""
    return {
        "token": "deprecated",
        "team_id": TEAM,
        "api_app_id": APP,
        "channel_id": channel,
        "user_id": user.id,
        "user_name": user.name,
        "command": "/switchboard",
        "text": text,
        "trigger_id": trigger,
        "response_url": response_url,
    }


def shortcut(user: User, post: Post, callback: str, trigger: str, response_url: str) -> Json:
    """A message shortcut."""
    return _from(user) | {
        "type": "message_action",
        "callback_id": callback,
        "trigger_id": trigger,
        "message_ts": post.ts,
        "channel": {"id": post.channel, "name": post.channel.lower()},
        "message": post.payload(),
        "response_url": response_url,
    }


def submission(user: User, view: Json) -> Json:
    """A submitted form."""
    return _from(user) | {"type": "view_submission", "view": view}


def home_press(user: User, element: Json, picked: str, event_ts: str) -> Json:
    """A button or a menu's line in a Home tab, which has no message and no answer address."""
    action: Json = {name: element[name] for name in ("action_id", "block_id", "type", "value") if name in element}
    if element.get("type") == "static_select":
        action["selected_option"] = {"value": picked}
    return _from(user) | {
        "type": "block_actions",
        "container": {"type": "view", "view_id": "V0HOME"},
        "view": {"id": "V0HOME", "type": "home"},
        "actions": [action | {"action_ts": event_ts}],
    }


def _from(user: User) -> Json:
    return {
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "team": {"id": TEAM, "domain": "test"},
        "api_app_id": APP,
        "token": "deprecated",
        "enterprise": None,
        "is_enterprise_install": False,
    }


def press(
    user: User, channel: Channel, post: Post, button: Json, response_url: str, event_ts: str, trigger: str
) -> Json:
    """A block_actions payload for one button of a message."""
    action = {name: button[name] for name in ("action_id", "block_id", "text", "value", "type") if name in button}
    return _from(user) | {
        "type": "block_actions",
        "container": {
            "type": "message",
            "message_ts": post.ts,
            "channel_id": channel.id,
            "is_ephemeral": post.seen_by is not None,
        },
        "trigger_id": trigger,
        "channel": {"id": channel.id, "name": channel.name},
        "message": post.payload(),
        "response_url": response_url,
        "actions": [action | {"action_ts": event_ts}],
    }
