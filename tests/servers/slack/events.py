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
    """The second event for one message; it carries no channel_type."""
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


def press(user: User, channel: Channel, post: Post, button: Json, response_url: str, event_ts: str) -> Json:
    """A block_actions payload for one button of a message."""
    action = {name: button[name] for name in ("action_id", "block_id", "text", "value", "type") if name in button}
    return {
        "type": "block_actions",
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": APP,
        "token": "deprecated",
        "container": {
            "type": "message",
            "message_ts": post.ts,
            "channel_id": channel.id,
            "is_ephemeral": post.seen_by is not None,
        },
        "trigger_id": f"trigger.{event_ts}",
        "team": {"id": TEAM, "domain": "test"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": channel.name},
        "message": post.payload(),
        "response_url": response_url,
        "actions": [action | {"action_ts": event_ts}],
    }
