"""Takes Slack's payloads: each is stored, then acknowledged, and answered afterwards."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from slack_bolt.response import BoltResponse

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import Deletion, Edit, Message, MessageRef, Note, Person, Reaction, choice
from bot.domain.ports import Inbox
from bot.platforms.slack.background_tasks import BackgroundTasks
from bot.platforms.slack.blocks import Said
from bot.platforms.slack.command_answers import told
from bot.platforms.slack.commands import Commands
from bot.platforms.slack.directory import Profile
from bot.platforms.slack.emoji import EmojiNames, aliases
from bot.platforms.slack.events import (
    BotIdentity,
    HomeOpened,
    MentionedByEdit,
    NewEmoji,
    News,
    Regrouped,
    Renamed,
    Reshared,
    Revoked,
    RouteRequest,
    SpokenToInARoom,
    ThreadReply,
    read,
    spoken_to_us,
)
from bot.platforms.slack.forms import Forms
from bot.platforms.slack.home_tab import HomeTab
from bot.platforms.slack.interactions import (
    Asked,
    ButtonPress,
    Command,
    ExtraButton,
    Form,
    HomeChoice,
    Interaction,
    ReplyWanted,
    Shortcut,
    interaction,
)
from bot.platforms.slack.late_names import LateNames
from bot.platforms.slack.mentions import Mentions
from bot.platforms.slack.payload import NAME, Payload, inner, moment, word
from bot.platforms.slack.request_context import RequestContext
from bot.platforms.slack.web_api import ask

log = logging.getLogger(__name__)

_STORE_SECONDS = 2.5
"""Seconds to store a press, a form or a command, of the three that Slack allows."""
_EVENT_SECONDS = 30.0
"""Seconds to store an event. One that takes longer than Slack waits for is acknowledged when Slack sends it again."""
_NAME_SECONDS = 1.0
"""Seconds that storing waits for the writer's name, of the three that Slack allows."""
_EMOJI_SECONDS, _AGAIN_SECONDS = 600, 30
Answer = Mapping[str, object]
_Said = TypeVar("_Said", Message, Note)


@dataclass(slots=True)
class Inbound:
    """Stores payload after payload."""

    identity: BotIdentity
    inbox: Inbox
    request_context: RequestContext
    background: BackgroundTasks
    configured: frozenset[str]
    """The emoji that the settings name."""
    revoked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once our token was revoked, or the app removed."""
    _emoji_names: EmojiNames = field(init=False)
    _names: LateNames = field(init=False)
    _answered_orders: deque[MessageRef] = field(default_factory=lambda: deque(maxlen=200))

    def __post_init__(self) -> None:
        self._emoji_names = EmojiNames(self.configured)
        self._names = LateNames(self.request_context.directory, self.inbox, self.background)

    async def take(self, payload: Payload) -> BoltResponse:
        """Store a payload and only then acknowledge it; what cannot be stored, Slack sends again.

        Everything else is acknowledged, too: events that do not concern us must not count as failures with Slack.
        """
        try:
            async with asyncio.timeout(_EVENT_SECONDS if payload.get("event_id") else _STORE_SECONDS):
                answer = await self._stored(payload)
        except (Unreachable, TimeoutError) as error:
            problem = str(error) or "too slow"
            log.warning(
                "event not stored, so not acknowledged: it will come again",
                extra={"platform": NAME, "event": word(payload, "event_id"), "problem": problem},
            )
            return BoltResponse(status=503, body="")
        return BoltResponse(status=200, body=dict(answer) if answer else "")

    async def _stored(self, payload: Payload) -> Answer:
        """The body of the acknowledgement: a form's errors, or nothing."""
        wanted = interaction(payload)
        if wanted is not None:
            return await self._interact(wanted)
        await self._keep(payload)
        return {}

    async def refresh_emoji_names(self) -> None:
        """Load the workspace's own emoji and aliases, and again every ten minutes."""
        while True:
            known = await self._learn_emoji()
            await asyncio.sleep(_EMOJI_SECONDS if known else _AGAIN_SECONDS)

    # --- events ---

    async def _keep(self, payload: Payload) -> None:
        if happened := moment(word(inner(payload, "event"), "event_ts")):
            self.request_context.clock.observe(happened)
        match read(payload, self.identity):
            case Message() as message:
                await self._store(await self._pointing(await self._worded(message)))
            case Note() as note:
                await self.inbox.note(await self._whole(note))
            case Reaction() as reaction:
                await self._react(replace(reaction, emoji=self._emoji_names.meant(reaction.emoji)))
            case Edit() as edit:
                await self._revise(edit)
            case Deletion() as deletion:
                await self.inbox.deletion(deletion)
            case None:
                pass
            case news:
                await self._hear(news)

    async def _revise(self, edit: Edit) -> None:
        text = await self._mentions.named(edit.text)
        media = None if edit.media is None else await self._mentions.known(edit.media)
        await self.inbox.edit(replace(edit, text=text, media=media))

    async def _react(self, reaction: Reaction) -> None:
        wanted = self.request_context.platform.vocabulary.request.get(NAME)
        if reaction.added and reaction.emoji == wanted and reaction.ref.chat not in self.identity.rooms:
            await self._make_request(reaction.ref)
            return
        # Whoever takes a card is shown by name; for other reactions no name is needed.
        if reaction.ref.chat in self.identity.rooms:
            reaction = replace(reaction, actor=await self._known(reaction.actor))
        await self.inbox.reaction(reaction)

    async def _make_request(self, ref: MessageRef) -> None:
        """Read a message that was not addressed to us from Slack, and store it as its writer's request."""
        ledger, now = self.request_context.platform.ledger, datetime.now(UTC)
        if await ledger.make_request(ref, now):
            return
        try:
            found = await self._mentions.one(ref)
        except Refused as error:
            log.info("message not read, so no request made of it", extra={"platform": NAME, "problem": str(error)})
            return
        message = spoken_to_us(found, ref.chat, self.identity)
        if message is not None:
            await self._store(await self._worded(message))
            await ledger.make_request(ref, now)

    async def _hear(self, news: News) -> None:
        match news:
            case ThreadReply():
                await self._overhear(news)
            case RouteRequest():
                await self._order(news)
            case SpokenToInARoom():
                await self._explain(news.message)
            case MentionedByEdit():
                await self._revise(news.edit)
                if isinstance(news.message, ThreadReply):
                    await self._overhear(news.message)
                else:
                    await self._store(await self._pointing(await self._worded(news.message)))
            case Renamed():
                self._rename(news)
                await self.inbox.chat_moved(NAME, news.before, news.after)
            case Regrouped():
                self.request_context.directory.forget_group(news.group)
            case Reshared():
                self.request_context.directory.forget_room(news.channel)
            case NewEmoji():
                await self._learn_emoji()
            case HomeOpened():
                self.background.start(HomeTab(self.request_context, self.inbox).show(news.user), "slack home")
            case Revoked():
                log.error(
                    "app removed or token revoked: nothing is received or delivered any more", extra={"event": news.how}
                )
                self.revoked.set()

    async def _overhear(self, aside: ThreadReply) -> None:
        """Handle a reply in a channel that is no team's: only threads in which somebody mentioned us concern us.

        A thread under a card is the team's even when the settings no longer name the channel: replies there are notes.
        """
        context, said = self.request_context.platform, await self._worded(aside.message)
        if await context.ledger.is_of_a_team(aside.root, aside.ours):
            said = replace(said, author=await self._known(said.author))
            await self.inbox.note(Note(said.ref, aside.root, said.author, said.text, said.at, said.media))
        elif aside.addressed:
            await self._store(await self._pointing(said))
        elif await context.chat_commands.account(aside.root) is not None:
            await self._store(said)

    async def learn_moves(self) -> None:
        """Apply the new ids of channels that were renamed before this process began. Raises Unreachable."""
        for before, after in (await self.request_context.platform.ledger.moved_chats(NAME)).items():
            self._rename(Renamed(before, after))

    def _rename(self, news: Renamed) -> None:
        self.identity = self.identity.renamed(news.before, news.after)
        self.request_context = replace(self.request_context, intake=self.identity.intake, rooms=self.identity.rooms)
        if news.after in self.identity.intake | self.identity.rooms:
            about = {"before": news.before, "after": news.after}
            log.warning("channel has a new id; write it in the settings", extra={"platform": NAME, **about})

    async def _order(self, order: RouteRequest) -> None:
        """Store a lead's "route TEAM" as a choice, like an emoji on the card; tell others why it has no effect."""
        task = self.request_context.platform.task
        named = [n.name for n in task.labels if order.team.casefold() in (n.name.casefold(), n.title.casefold())]
        language = await self.request_context.language(order.actor.id)
        if order.actor.external or not await self.request_context.permissions.leads(order.actor.id):
            self._refuse(order, told(language, "slack_leads_only"))
        elif not named:
            teams = ", ".join(label.name for label in task.labels if label.deliver_to)
            self._refuse(order, told(language, "slack_no_team", team=order.team, teams=teams))
        else:
            actor = await self._known(order.actor)
            await self.inbox.reaction(Reaction(order.root, actor, choice(named[0]), added=True, at=order.at))

    async def _explain(self, message: Message) -> None:
        """Tell the author that what is said in a team's channel is no request."""
        language = await self.request_context.language(message.author.id)
        order = RouteRequest(message.ref, message.ref, message.author, "", message.at)
        self._refuse(order, told(language, "slack_not_here"))

    def _refuse(self, order: RouteRequest, said: Said) -> None:
        # Both events of one post (the mention and the message) bring the same order.
        if order.ref not in self._answered_orders:
            self._answered_orders.append(order.ref)
            self.background.start(self._say_to(order, said), "slack order")

    async def _say_to(self, order: RouteRequest, said: Said) -> None:
        root = order.root
        thread = root.id if root != order.ref else None
        call = self.request_context.client.chat_postEphemeral(
            channel=root.chat, thread_ts=thread, user=order.actor.id, text=said.text, blocks=said.blocks
        )
        await ask(call)

    async def _whole(self, note: Note) -> Note:
        """The note with the names of its writer, of its mentions and of its files: events contain ids alone."""
        author, worded = await asyncio.gather(self._known(note.author), self._worded(note))
        return replace(worded, author=author)

    async def _worded(self, said: _Said) -> _Said:
        """The message with the names of its mentions and files; without mentions there is nothing to wait for."""
        text, media = await asyncio.gather(self._mentions.named(said.text), self._mentions.known(said.media))
        return replace(said, text=text, media=media)

    async def _pointing(self, message: Message) -> Message:
        """The message with the thread's beginning before it, where it calls us into a thread that we do not know.

        In intake channels and direct messages we know the thread's beginning already.
        """
        place = message.place
        heard = place.chat in self.identity.intake or place.chat.startswith("D")
        if heard or place.thread in (None, message.ref.id):
            return message
        root = MessageRef(NAME, place.chat, place.thread or "")
        if await self.request_context.platform.chat_commands.account(root) is not None:
            return message
        beginning = await self._mentions.beginning(root, self.identity.user)
        text = f"{beginning.text}\n{message.text}".strip() if beginning.text else message.text
        return replace(message, text=text, media=(*message.media, *beginning.media))

    @property
    def _mentions(self) -> Mentions:
        return Mentions(self.request_context.client, self.request_context.directory)

    async def _store(self, message: Message) -> None:
        """Store the message first and look up its writer afterwards: a crowd must not wait for a thousand lookups."""
        profile = self.request_context.directory.recalled(message.author.id)
        await self.inbox.message(replace(message, author=_as_known(message.author, profile or Profile())))
        if profile is None:
            self._names.find(message.author)

    async def _known(self, person: Person) -> Person:
        """The person with name and language, which events lack; without them when Slack answers too slowly."""
        profile = await self.request_context.directory.profile_within(person.id, _NAME_SECONDS)
        if self.request_context.directory.recalled(person.id) is None:
            self._names.find(person)
        return _as_known(person, profile)

    async def _learn_emoji(self) -> bool:
        try:
            listed = await self.request_context.directory.emoji()
        except Unreachable as error:
            log.info("emoji names not refreshed", extra={"platform": NAME, "problem": str(error)})
            return False
        self._emoji_names = EmojiNames(self.configured, aliases(listed))
        return True

    # --- interactions ---

    async def _interact(self, wanted: Interaction) -> Answer:
        """Store at once what must not be lost; answers and forms follow the acknowledgement."""
        forms = Forms(self.request_context, self.inbox)
        match wanted:
            case ButtonPress():
                if wanted.ephemeral:
                    self.request_context.ephemeral.remember(wanted.press.ref, wanted.respond_to)
                await self.inbox.press(replace(wanted.press, actor=await self._known(wanted.press.actor)))
            case Form():
                return await self._form(forms, wanted)
            case HomeChoice():
                await self._home_choice(wanted)
            case Shortcut():
                self.background.start(forms.open_route(wanted), "slack form")
            case ReplyWanted():
                self.background.start(forms.open_reply(wanted), "slack form")
            case Command():
                self.background.start(Commands(self.request_context, self.inbox).answer(wanted), "slack command")
            case Asked(button=ExtraButton.FORGET):
                self.background.start(Commands(self.request_context, self.inbox).confirmed(wanted), "slack forget")
            case Asked():
                self.background.start(HomeTab(self.request_context, self.inbox).press(wanted), "slack home")
        return {}

    async def _form(self, forms: Forms, form: Form) -> Answer:
        try:
            return await forms.take(form)
        except Refused as error:
            log.warning("form submission failed", extra={"platform": NAME, "problem": str(error)})
            return {}

    async def _home_choice(self, picked: HomeChoice) -> None:
        tab = HomeTab(self.request_context, self.inbox)
        await tab.choose(picked)
        self.background.start(tab.show(picked.user), "slack home")


def _as_known(person: Person, profile: Profile) -> Person:
    external = profile.external if profile.known else person.external
    return replace(person, name=profile.name, language=profile.language, external=external)
