"""The Bot API: one method per call, raising ApiError with the description Telegram would answer."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping

from telegram.constants import ReactionEmoji

from tests.servers.telegram.attachments import Attachments
from tests.servers.telegram.formatting import parse, utf16
from tests.servers.telegram.state import BOT, Account, Chat, Post, bad_request
from tests.servers.telegram.updates import Feed, Webhook
from tests.servers.wire import Args, Json, items, mapping, number, truth, word, words

REACTIONS = frozenset(str(emoji.value) for emoji in ReactionEmoji)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
LIMITS = (
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_send_messages",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_manage_topics",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_edit_tag",
    "can_react_to_messages",
)

Method = Callable[[Args], Awaitable[object]]


class BotApi:
    """Answers method calls. `answers` holds each callback query's answer, None until it has one."""

    def __init__(self, account: Account, feed: Feed, *, sees_everything: bool) -> None:
        self._account = account
        self._feed = feed
        self._sees_everything = sees_everything
        self.answers: dict[str, Json | None] = {}
        self.methods: Mapping[str, Method] = {
            **Attachments(account).methods,
            "answerCallbackQuery": self._answer,
            "deleteMessage": self._delete,
            "deleteWebhook": self._delete_webhook,
            "editMessageReplyMarkup": self._edit_buttons,
            "editMessageText": self._edit,
            "getChat": self._chat,
            "getChatAdministrators": self._administrators,
            "getChatMember": self._member,
            "getMe": self._me,
            "getUpdates": self._updates,
            "getWebhookInfo": self._webhook_info,
            "sendChatAction": self._action,
            "sendMessage": self._send,
            "setMessageReaction": self._react,
            "setMyCommands": self._commands,
            "setWebhook": self._set_webhook,
            "stopMessageLiveLocation": self._stop_location,
        }

    async def _me(self, args: Args) -> object:
        return self._account.users[BOT].payload() | {
            "can_join_groups": True,
            "can_read_all_group_messages": self._sees_everything,
            "supports_inline_queries": False,
        }

    # ── updates ──

    async def _updates(self, args: Args) -> object:
        if "allowed_updates" in args:
            self._feed.allow(words(args, "allowed_updates"))
        limit = min(max(number(args, "limit", 100), 1), 100)
        return await self._feed.poll(number(args, "offset"), limit, number(args, "timeout"))

    async def _set_webhook(self, args: Args) -> object:
        secret = word(args, "secret_token")
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise bad_request("secret token contains unallowed characters")
        if "allowed_updates" in args:
            self._feed.allow(words(args, "allowed_updates"))
        hook = Webhook(word(args, "url"), secret, number(args, "max_connections", 40))
        self._feed.set_hook(hook if hook.url else None, drop=truth(args, "drop_pending_updates"))
        return True

    async def _delete_webhook(self, args: Args) -> object:
        self._feed.set_hook(None, drop=truth(args, "drop_pending_updates"))
        return True

    async def _webhook_info(self, args: Args) -> object:
        hook = self._feed.hook
        found: Json = {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self._feed.pending),
            "allowed_updates": sorted(self._feed.allowed),
        }
        return found | ({"last_error_message": hook.last_error} if hook and hook.last_error else {})

    # ── messages ──

    async def _send(self, args: Args) -> object:
        thread = number(args, "message_thread_id") or None
        chat = self._account.writable(number(args, "chat_id"), thread)
        text, entities = _checked(args)
        reply = mapping(args, "reply_parameters")
        target = self._account.target(chat.id, reply)
        post = Post(
            chat=chat.id,
            message_id=self._account.next_id(chat.id),
            sender=BOT,
            date=int(time.time()),
            text=text,
            entities=entities,
            buttons=_buttons(args),
            reply_to=target,
            thread=thread,
            quiet=truth(args, "disable_notification"),
        )
        return self._account.payload(self._account.add(post))

    async def _edit(self, args: Args) -> object:
        post = self._own(args)
        if not post.text:
            raise bad_request("there is no text in the message to edit")
        text, entities = _checked(args)
        return self._edited(post, text, entities, _buttons(args))

    async def _edit_buttons(self, args: Args) -> object:
        post = self._own(args)
        return self._edited(post, post.text, post.entities, _buttons(args))

    async def _stop_location(self, args: Args) -> object:
        self._own(args)
        raise bad_request("there is no live location in the message to edit")

    def _edited(self, post: Post, text: str, entities: tuple[Json, ...], buttons: Json) -> Json:
        if (text, entities, buttons) == (post.text, post.entities, post.buttons):
            raise bad_request(SAME)
        return self._account.payload(self._account.edit(post, text, entities, buttons))

    async def _delete(self, args: Args) -> object:
        chat = self._account.chat(number(args, "chat_id"))
        post = self._account.posts.get((chat.id, number(args, "message_id")))
        if post is None:
            raise bad_request("message to delete not found")
        admin = chat.bot_status == "administrator"
        if not admin and (post.sender != BOT or time.time() - post.date > 48 * 3600):
            raise bad_request("message can't be deleted")
        del self._account.posts[chat.id, post.message_id]
        return True

    async def _react(self, args: Args) -> object:
        chat = self._account.writable(number(args, "chat_id"), None)
        post = self._account.posts.get((chat.id, number(args, "message_id")))
        if post is None:
            raise bad_request("message to react not found")
        reactions = items(args, "reaction")
        if len(reactions) > 1:
            raise bad_request("REACTIONS_TOO_MANY")
        if any(word(reaction, "emoji") not in REACTIONS for reaction in reactions):
            raise bad_request("REACTION_INVALID")
        # Reactions of bots are never sent as updates.
        self._account.reactions.setdefault((chat.id, post.message_id), {})[BOT] = reactions
        return True

    async def _answer(self, args: Args) -> object:
        query = word(args, "callback_query_id")
        if query not in self.answers or self.answers[query] is not None:
            raise bad_request(TOO_OLD)
        if len(word(args, "text")) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        self.answers[query] = dict(args)
        return True

    async def _action(self, args: Args) -> object:
        self._account.writable(number(args, "chat_id"), number(args, "message_thread_id") or None)
        return True

    # ── chats, commands, files ──

    async def _chat(self, args: Args) -> object:
        chat = self._account.chat(number(args, "chat_id"))
        return (
            chat.payload()
            | {
                "accent_color_id": 0,
                "max_reaction_count": 11,
                "accepted_gift_types": dict.fromkeys(
                    (
                        "unlimited_gifts",
                        "limited_gifts",
                        "unique_gifts",
                        "premium_subscription",
                        "gifts_from_channels",
                    ),
                    False,
                ),
                "is_forum": bool(chat.topics),
            }
            | ({"available_reactions": _emoji(chat.reactions)} if chat.reactions is not None else {})
        )

    async def _member(self, args: Args) -> object:
        chat, user = self._account.chat(number(args, "chat_id")), number(args, "user_id")
        if user not in self._account.users:
            raise bad_request("PARTICIPANT_ID_INVALID")
        return self._membership(chat, user)

    async def _administrators(self, args: Args) -> object:
        chat = self._account.chat(number(args, "chat_id"))
        found = [user for user, status in chat.statuses.items() if status in {"administrator", "creator"}]
        return [self._membership(chat, user) for user in found]

    def _membership(self, chat: Chat, user: int) -> Json:
        status = chat.statuses.get(user, "left")
        found: Json = {"status": status, "user": self._account.users[user].payload()}
        if status == "administrator":
            return found | {"can_be_edited": False, "is_anonymous": False} | dict.fromkeys(RIGHTS, True)
        if status == "creator":
            return found | {"is_anonymous": False}
        if status == "restricted":
            return found | {"is_member": True, "until_date": 0} | dict.fromkeys(LIMITS, False)
        return found | ({"until_date": 0} if status == "kicked" else {})

    async def _commands(self, args: Args) -> object:
        scope = word(mapping(args, "scope"), "type") or "default"
        self._account.commands[scope, word(args, "language_code")] = items(args, "commands")
        return True

    def _own(self, args: Args) -> Post:
        chat = self._account.writable(number(args, "chat_id"), None)
        post = self._account.posts.get((chat.id, number(args, "message_id")))
        if post is None:
            raise bad_request("message to edit not found")
        if post.sender != BOT:
            raise bad_request("message can't be edited")
        return post


def _emoji(allowed: tuple[str, ...]) -> list[Json]:
    return [{"type": "emoji", "emoji": one} for one in allowed]


def _checked(args: Args) -> tuple[str, tuple[Json, ...]]:
    text, entities = parse(word(args, "text"), word(args, "parse_mode"))
    if not text.strip():
        raise bad_request("message text is empty")
    if utf16(text) > 4096:
        raise bad_request("message is too long")
    return text, entities


def _buttons(args: Args) -> Json:
    markup = mapping(args, "reply_markup")
    rows = markup.get("inline_keyboard")
    for button in [button for row in rows for button in row] if isinstance(rows, list) else []:
        if not button.get("text") or len(button.get("callback_data", "-").encode()) not in range(1, 65):
            raise bad_request("BUTTON_DATA_INVALID")
    return markup if rows else {}
