"""The Web API: one method per call, raising SlackError with the code Slack would answer."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.servers.slack import blocks as limits
from tests.servers.slack import events
from tests.servers.slack.state import BOT_ID, BOT_USER, TEAM, Channel, Post, SlackError, Workspace
from tests.servers.wire import Args, Json, items, mapping, number, truth, word

Emit = Callable[[Json, Channel], None]


class WebApi:
    """Answers method calls from the workspace; what others would see of them goes to `emit` as events."""

    def __init__(self, space: Workspace, emit: Emit) -> None:
        self._space = space
        self._emit = emit
        self.methods: Mapping[str, Callable[[Args], Json]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.getPermalink": self._permalink,
            "conversations.history": self._history,
            "conversations.info": self._conversation,
            "conversations.open": self._open,
            "conversations.replies": self._replies,
            "emoji.list": self._emoji,
            "reactions.add": self._react,
            "reactions.get": self._reactions,
            "reactions.remove": self._unreact,
            "usergroups.list": self._groups,
            "usergroups.users.list": self._group,
            "users.info": self._user,
        }

    def _auth_test(self, args: Args) -> Json:
        return {
            "url": "https://test.slack.com/",
            "team": "Test",
            "user": "switchboard",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT_ID,
            "is_enterprise_install": False,
        }

    def _post_message(self, args: Args) -> Json:
        target = word(args, "channel")
        known_person = target in self._space.users and target not in self._space.channels
        channel = self._space.direct(target) if known_person else self._writable(target)
        post = self._space.add(self._composed(args, channel))
        self._emit(events.message(post, channel), channel)
        return {"channel": channel.id, "ts": post.ts, "message": post.payload()}

    def _post_ephemeral(self, args: Args) -> Json:
        channel = self._writable(word(args, "channel"))
        reader = word(args, "user")
        if reader not in self._space.users:
            raise SlackError("user_not_in_channel")
        post = replace(self._composed(args, channel), seen_by=reader)
        self._space.ephemerals[post.channel, post.ts] = post
        return {"message_ts": post.ts}

    def _update(self, args: Args) -> Json:
        channel = self._writable(word(args, "channel"))
        post = self._own(word(args, "channel"), word(args, "ts"), "cant_update_message")
        # An update without blocks keeps none: Slack replaces the message, it does not merge.
        text = word(args, "text") if "text" in args else post.text
        changed = self._space.edit(post, text, _blocks_of(args, text))
        self._emit(events.changed(changed, channel, self._space.now_ts()), channel)
        return {"channel": channel.id, "ts": post.ts, "text": text, "message": changed.payload()}

    def _delete(self, args: Args) -> Json:
        channel = self._writable(word(args, "channel"))
        post = self._own(channel.id, word(args, "ts"), "cant_delete_message")
        del self._space.posts[channel.id, post.ts]
        self._emit(events.deleted(post, channel, self._space.now_ts()), channel)
        return {"channel": channel.id, "ts": post.ts}

    def _permalink(self, args: Args) -> Json:
        post = self._space.post(word(args, "channel"), word(args, "message_ts"))
        link = f"https://test.slack.com/archives/{post.channel}/p{post.ts.replace('.', '')}"
        if post.thread_ts:
            link += f"?thread_ts={post.thread_ts}&cid={post.channel}"
        return {"channel": post.channel, "permalink": link}

    def _history(self, args: Args) -> Json:
        channel = self._readable(word(args, "channel"))
        found = [post for post in self._posts(channel.id) if post.thread_ts in (None, post.ts)]
        return self._page(list(reversed(found)), args)

    def _replies(self, args: Args) -> Json:
        channel, root = self._readable(word(args, "channel")), word(args, "ts")
        found = [post for post in self._posts(channel.id) if root in (post.ts, post.thread_ts)]
        if not found:
            raise SlackError("thread_not_found")
        return self._page(found, args)

    def _page(self, posts: list[Post], args: Args) -> Json:
        oldest, limit, begin = word(args, "oldest"), number(args, "limit", 100), number(args, "cursor")
        wanted = [post.payload() for post in posts if post.ts > oldest]
        if not truth(args, "include_all_metadata"):
            wanted = [{name: value for name, value in post.items() if name != "metadata"} for post in wanted]
        end = begin + limit
        cursor = str(end) if len(wanted) > end else ""
        more: Json = {"has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}
        return {"messages": wanted[begin:end]} | more

    def _conversation(self, args: Args) -> Json:
        channel = self._space.channel(word(args, "channel"))
        found: Json = {
            "id": channel.id,
            "name": channel.name,
            f"is_{channel.kind}": True,
            "is_member": channel.has_bot,
            "is_archived": channel.is_archived,
            "is_ext_shared": channel.is_shared,
        }
        return {"channel": found | ({"user": channel.user} if channel.user else {})}

    def _open(self, args: Args) -> Json:
        people = [person for person in word(args, "users").split(",") if person]
        if len(people) != 1 or people[0] not in self._space.users:
            raise SlackError("user_not_found" if people else "users_list_not_supplied")
        return {"channel": {"id": self._space.direct(people[0]).id}}

    def _user(self, args: Args) -> Json:
        user = self._space.users.get(word(args, "user"))
        if user is None:
            raise SlackError("user_not_found")
        found: Json = {
            "id": user.id,
            "team_id": user.team_id,
            "name": user.name,
            "real_name": user.name,
            "profile": {"display_name": user.name, "real_name": user.name},
            "is_bot": user.is_bot,
            "is_stranger": user.team_id != TEAM,
            "deleted": user.deleted,
        }
        if user.enterprise_id:
            found["enterprise_user"] = {"enterprise_id": user.enterprise_id}
        return {"user": found | ({"locale": user.locale} if truth(args, "include_locale") else {})}

    def _group(self, args: Args) -> Json:
        members = self._space.usergroups.get(word(args, "usergroup"))
        if members is None:
            raise SlackError("no_such_subteam")
        return {"users": list(members)}

    def _groups(self, args: Args) -> Json:
        groups = [{"id": id_, "handle": id_.removeprefix("S0").lower()} for id_ in self._space.usergroups]
        return {"usergroups": groups}

    def _emoji(self, args: Args) -> Json:
        return {"emoji": dict(self._space.emoji)}

    def _react(self, args: Args) -> Json:
        self._reacted("reaction_added", self._space.react, args)
        return {}

    def _unreact(self, args: Args) -> Json:
        self._reacted("reaction_removed", self._space.unreact, args)
        return {}

    def _reacted(self, kind: str, change: Callable[[str, str, str, str], None], args: Args) -> None:
        channel, name = self._writable(word(args, "channel")), word(args, "name")
        if not name or ":" in name.replace("::skin-tone-", ""):
            raise SlackError("invalid_name")
        post = self._space.post(channel.id, word(args, "timestamp"))
        change(BOT_USER, channel.id, post.ts, name)
        self._emit(events.reaction(kind, BOT_USER, name, post, self._space.now_ts()), channel)

    def _reactions(self, args: Args) -> Json:
        post = self._space.post(self._readable(word(args, "channel")).id, word(args, "timestamp"))
        found = self._space.reactions.get((post.channel, post.ts), {})
        listed = [
            {"name": name, "users": list(people), "count": len(people)} for name, people in found.items() if people
        ]
        return {
            "type": "message",
            "channel": post.channel,
            "message": post.payload() | ({"reactions": listed} if listed else {}),
        }

    def _composed(self, args: Args, channel: Channel) -> Post:
        text = word(args, "text")
        return Post(
            channel=channel.id,
            ts=self._space.new_ts(channel.id),
            user=BOT_USER,
            bot_id=BOT_ID,
            text=text,
            blocks=_blocks_of(args, text),
            thread_ts=word(args, "thread_ts") or None,
            metadata=mapping(args, "metadata") or None,
        )

    def _posts(self, channel: str) -> list[Post]:
        return [post for post in self._space.posts.values() if post.channel == channel]

    def _own(self, channel: str, ts: str, otherwise: str) -> Post:
        post = self._space.post(channel, ts)
        if post.user != BOT_USER:
            raise SlackError(otherwise)
        return post

    def _readable(self, channel_id: str) -> Channel:
        channel = self._space.channel(channel_id)
        if not channel.has_bot:
            raise SlackError("not_in_channel")
        return channel

    def _writable(self, channel_id: str) -> Channel:
        channel = self._readable(channel_id)
        if channel.is_archived:
            raise SlackError("is_archived")
        return channel


def _blocks_of(args: Args, text: str) -> tuple[Json, ...]:
    blocks = items(args, "blocks")
    if not text and not blocks:
        raise SlackError("no_text")
    if len(text) > 40_000:
        raise SlackError("msg_too_long")
    limits.check(blocks)
    return tuple(blocks)
