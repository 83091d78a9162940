"""The forms "Send to a team", on any message, and "Reply", on a card."""

import asyncio
import json
import logging
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import Refused, Unreachable
from bot.domain.messages import Media, MediaKind, Message, MessageRef, Note, Person, Place, Reaction, choice
from bot.domain.ports import Inbox
from bot.domain.queries import Account
from bot.domain.rich_text import bare, spelled
from bot.platforms.slack.blocks import Block
from bot.platforms.slack.command_answers import told
from bot.platforms.slack.events import media
from bot.platforms.slack.interactions import (
    LET_IT_DECIDE,
    REPLY_FORM,
    ROUTE_FORM,
    Form,
    ReplyWanted,
    Shortcut,
    address,
    addressed,
)
from bot.platforms.slack.locales import sentence
from bot.platforms.slack.mentions import Mentions
from bot.platforms.slack.message_content import message_text
from bot.platforms.slack.modals import fitting, refusal, reply_form, route_form
from bot.platforms.slack.payload import NAME, moment, word
from bot.platforms.slack.request_context import RequestContext
from bot.platforms.slack.web_api import Declined, ask

log = logging.getLogger(__name__)

_TOO_LATE = ("expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired")
_FILES = 3
_AGAIN_SECONDS = 1.5
"""Seconds for which a submitted form waits to read its message again; Slack wants its answer in three."""


@dataclass(frozen=True, slots=True)
class Forms:
    """Opens forms and stores what people submit."""

    request_context: RequestContext
    inbox: Inbox

    # --- opening: within the three seconds for which a trigger is valid ---

    async def open_route(self, shortcut: Shortcut) -> None:
        """Ask which team should get the message, or tell the person why that cannot be asked."""
        language = await self.request_context.language(shortcut.user)
        lead = await self.request_context.permissions.leads(shortcut.user)
        account = await self._account(shortcut)
        problem = await self._problem(shortcut, account, lead=lead)
        if problem:
            await self.request_context.ephemeral.answer(shortcut.respond_to, told(language, problem))
            return
        notes = await self._notes(shortcut) if account is None else {"source": addressed(account.request.source)}
        task = self.request_context.platform.task
        view = route_form(task, language, notes, lead=lead, known=account is not None)
        await self._open(view, shortcut.trigger, shortcut.respond_to, language)

    async def open_reply(self, wanted: ReplyWanted) -> None:
        """Ask what to write to the person; only our own people may."""
        if not await self.request_context.permissions.may_handle(Person(NAME, wanted.user)):
            language = await self.request_context.language(wanted.user)
            await self.request_context.ephemeral.answer(wanted.respond_to, told(language, "slack_ours_only"))
            return
        language = self.request_context.platform.languages[0]
        view = reply_form(language, {"card": addressed(wanted.card)})
        await self._open(view, wanted.trigger, wanted.respond_to, language)

    async def _open(self, view: Block, trigger: str, respond_to: str, language: str) -> None:
        client: AsyncWebClient = self.request_context.client
        try:
            await ask(client.views_open(trigger_id=trigger, view=view))
        except Declined as error:
            if error.code not in _TOO_LATE:
                raise
            log.info("form not opened in time", extra={"platform": NAME})
            await self.request_context.ephemeral.answer(respond_to, told(language, "slack_expired"))

    async def _account(self, shortcut: Shortcut) -> Account | None:
        """The conversation that the message belongs to, by itself or by its thread."""
        ts, thread = word(shortcut.message, "ts"), word(shortcut.message, "thread_ts")
        for known in dict.fromkeys((ts, thread or ts)):
            account = await self.request_context.platform.chat_commands.account(
                MessageRef(NAME, shortcut.channel, known)
            )
            if account is not None:
                return account
        return None

    async def _problem(self, shortcut: Shortcut, account: Account | None, *, lead: bool) -> str:
        """The key of the sentence on what prevents it; empty when nothing does."""
        if account is not None:
            return "" if lead else "slack_known"
        if shortcut.channel in self.request_context.rooms:
            return "slack_not_here"
        try:
            room = await self.request_context.directory.room(shortcut.channel)
        except Declined:
            return "slack_invite"
        return "" if room.member else "slack_invite"

    async def _notes(self, shortcut: Shortcut) -> dict[str, str]:
        """What the submitted form needs to make the request, whose author is the message's writer."""
        message, us = shortcut.message, await self.request_context.directory.us()
        writer = word(message, "user")
        author = shortcut.user if message.get("bot_id") or not writer or writer == us.user else writer
        notes = {"author": author, "chat": shortcut.channel, "ts": word(message, "ts")}
        notes["thread"] = word(message, "thread_ts") or notes["ts"]
        notes["files"] = json.dumps([_noted(medium) for medium in media(message)[:_FILES]])
        return fitting(notes, spelled(message_text(message, us.user)))

    # --- what is submitted: stored before it is acknowledged ---

    async def take(self, form: Form) -> Block:
        """Store a submitted form. Returns Slack's answer: empty, or why the form stays open. Raises Unreachable."""
        match form.name:
            case name if name == REPLY_FORM:
                await self._reply(form)
            case name if name == ROUTE_FORM:
                return await self._route(form)
        return {}

    async def _reply(self, form: Form) -> None:
        card = address(form.notes.get("card", ""))
        if card is None or not form.answer.strip():
            return
        author = await self.request_context.person(form.user)
        # The form's own id makes this one note, however often Slack delivers it.
        ref = MessageRef(NAME, card.chat, form.id)
        note = Note(ref, card, author, bare(form.answer), self.request_context.clock.now(), send=True)
        await self.inbox.note(note)

    async def _route(self, form: Form) -> Block:
        chosen = "" if form.answer in ("", LET_IT_DECIDE) else form.answer
        person, task = await self.request_context.person(form.user), self.request_context.platform.task
        if chosen and not (await self.request_context.permissions.leads(form.user) and chosen in task.names):
            return refusal(sentence(await self.request_context.language(form.user), "slack_leads_only"))
        source = address(form.notes.get("source", "")) or await self._request(form)
        if chosen and source is not None:
            at = self.request_context.clock.now()
            await self.inbox.reaction(Reaction(source, person, choice(chosen), added=True, at=at))
        return {}

    async def _request(self, form: Form) -> MessageRef | None:
        """Make the message a request and return its ref; None when the form holds too little for one."""
        notes = form.notes
        chat, ts, at = notes.get("chat", ""), notes.get("ts", ""), moment(notes.get("ts", ""))
        if not chat or at is None:
            return None
        ref, place = MessageRef(NAME, chat, ts), Place(NAME, chat, notes.get("thread") or ts)
        author, message = await asyncio.gather(
            self.request_context.person(notes.get("author", form.user)), self._message(ref, place)
        )
        text, files = message or (notes.get("text", ""), _media(notes.get("files", "[]")))
        await self.inbox.message(Message(ref, place, author, text, at, files, opens=True))
        return ref

    async def _message(self, ref: MessageRef, place: Place) -> tuple[str, tuple[Media, ...]] | None:
        """The form's message, read in full from Slack; None where Slack does not answer soon enough.

        The caller then uses what the form kept of it, which is as much as Slack lets a form keep.
        """
        mentions = Mentions(self.request_context.client, self.request_context.directory)
        try:
            async with asyncio.timeout(_AGAIN_SECONDS):
                message = await mentions.message(ref, place.thread or ref.id)
                own = (await self.request_context.directory.us()).user
                if not message:
                    return None
                return await mentions.named(message_text(message, own)), await mentions.known(media(message))
        except (TimeoutError, Refused, Unreachable) as error:
            log.info("message not read again", extra={"platform": NAME, "problem": type(error).__name__})
            return None


def _noted(medium: Media) -> list[str]:
    return [medium.id, medium.kind.value, medium.name[:80], (medium.link or "")[:200]]


def _media(noted: str) -> tuple[Media, ...]:
    """The files that a form kept, without those that another version of ours wrote in another way."""
    try:
        listed = json.loads(noted)
    except (ValueError, RecursionError):
        return ()
    kept = []
    for one in listed if isinstance(listed, list) else ():
        match one:
            case [str(file), str(kind), str(name), str(link)] if kind in list(MediaKind):
                kept.append(Media(NAME, file, MediaKind(kind), name, link=link or None))
    return tuple(kept)
