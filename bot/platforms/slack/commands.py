"""`/switchboard …`: carries out each command and answers the person alone."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.domain.errors import Refused, Unreachable, UsageError
from bot.domain.messages import Message, MessageRef, Person, Place
from bot.domain.ports import Inbox
from bot.platforms.slack import command_answers
from bot.platforms.slack.blocks import Said
from bot.platforms.slack.command_answers import told
from bot.platforms.slack.interactions import Asked, Command, linked
from bot.platforms.slack.payload import NAME, inner, moment, readable, word
from bot.platforms.slack.request_context import RequestContext
from bot.platforms.slack.web_api import ask

log = logging.getLogger(__name__)

_SHOWN = 10
_Action = Callable[[Command, str], Awaitable[Said]]


@dataclass(frozen=True, slots=True)
class Commands:
    """Answers commands. Leads only: learn, models, promote, rollback."""

    request_context: RequestContext
    inbox: Inbox

    async def answer(self, command: Command) -> None:
        """Carry out the command and tell the person, in their language, how it went."""
        language = await self.request_context.language(command.user)
        try:
            said = await self._done(command, language)
        except UsageError as error:
            said = told(language, "slack_not_done", reason=str(error))
        except (Unreachable, Refused) as error:
            log.warning("command failed", extra={"platform": NAME, "problem": str(error)})
            said = told(language, "slack_trouble")
        await self.request_context.ephemeral.answer(command.respond_to, said)

    async def confirmed(self, asked: Asked) -> None:
        """Erase the person who pressed the button; nobody can erase somebody else."""
        language = await self.request_context.language(asked.user)
        erased = await self.request_context.platform.chat_commands.forget(Person(NAME, asked.user))
        said = command_answers.forgotten(erased, language)
        await self.request_context.ephemeral.answer(asked.respond_to, said, replace=True)

    async def _done(self, command: Command, language: str) -> Said:
        everybody: dict[str, _Action] = {
            "status": self._status,
            "teams": self._teams,
            "why": self._why,
            "route": self._route,
            "forget": self._forget,
        }
        leads: dict[str, _Action] = {
            "learn": self._learn,
            "models": self._models,
            "promote": self._promote,
            "rollback": self._rollback,
        }
        if command.verb in leads and not await self.request_context.permissions.runs(command.user):
            return told(language, "slack_leads_only")
        action = (everybody | leads | {"": self._help, "help": self._help}).get(command.verb, self._unknown)
        return await action(command, language)

    # --- for everybody ---

    async def _help(self, command: Command, language: str) -> Said:
        return command_answers.helped(language, lead=await self.request_context.permissions.leads(command.user))

    async def _unknown(self, command: Command, language: str) -> Said:
        return command_answers.unknown(language, command.verb, await self._help(command, language))

    async def _status(self, command: Command, language: str) -> Said:
        platform = self.request_context.platform
        requests = (await platform.chat_commands.requests_of(Person(NAME, command.user)))[:_SHOWN]
        said = command_answers.status(language, platform.task, requests, await self.request_context.links(requests))
        if not await self.request_context.permissions.leads(command.user):
            return said
        return command_answers.with_backlog(said, language, await platform.chat_commands.backlog())

    async def _teams(self, command: Command, language: str) -> Said:
        return command_answers.teams(language, self.request_context.platform.task)

    async def _why(self, command: Command, language: str) -> Said:
        """Explain a conversation to leads or its person, since it is quoted; others' similar texts to leads alone."""
        ref = linked(command.rest)
        if ref is None:
            return told(language, "slack_why_how")
        chat_commands = self.request_context.platform.chat_commands
        lead = await self.request_context.permissions.leads(command.user)
        account = await chat_commands.account(ref)
        own = [] if lead else await chat_commands.requests_of(Person(NAME, command.user))
        if account is None:
            return told(language, "slack_why_unknown")
        if not lead and account.request.conversation not in {request.conversation for request in own}:
            return told(language, "slack_why_private")
        shown = account if lead else replace(account, remembered=())
        return command_answers.why(language, self.request_context.platform.task, shown)

    async def _route(self, command: Command, language: str) -> Said:
        """Post the words on the person's behalf, so that there is a thread for the answer."""
        person = await self.request_context.person(command.user)
        us = await self.request_context.directory.us()
        words, task = readable(command.rest, us.user), self.request_context.platform.task
        if not words or words.lower() in {name.lower() for name in task.names}:
            return told(language, "slack_route_how")
        channel = command.channel if command.channel in self._open else await self._direct(command.user)
        said = command_answers.asked_by(language, person.name, words)
        call = self.request_context.client.chat_postMessage(
            channel=channel, text=said.text, blocks=said.blocks, parse="none", unfurl_links=False
        )
        ts = word(await ask(call), "ts")
        at = moment(ts)
        if at is None:
            raise Unreachable("platforms.slack: a post without a time")
        ref = MessageRef(NAME, channel, ts)
        await self.inbox.message(Message(ref, Place(NAME, channel, ts), person, words, at, opens=True))
        return command_answers.taken(language, await self.request_context.link(ref))

    async def _forget(self, command: Command, language: str) -> Said:
        if command.rest.lower() != "me":
            return told(language, "slack_forget_how")
        return command_answers.may_forget(language)

    @property
    def _open(self) -> frozenset[str]:
        """The channels where a request may be made in public."""
        return self.request_context.intake - self.request_context.rooms

    async def _direct(self, user: str) -> str:
        answer = await ask(self.request_context.client.conversations_open(users=user))
        return word(inner(answer, "channel"), "id")

    # --- for leads ---

    async def _learn(self, command: Command, language: str) -> Said:
        return told(language, await learned(self.request_context, command.user))

    async def _models(self, command: Command, language: str) -> Said:
        platform = self.request_context.platform
        return command_answers.models(language, platform.task, platform.base, await platform.chat_commands.models())

    async def _promote(self, command: Command, language: str) -> Said:
        if not command.rest:
            return told(language, "slack_promote_how")
        known = {adapter.name for adapter, _ in await self.request_context.platform.chat_commands.models()}
        if command.rest not in known:
            return told(language, "slack_no_adapter", adapter=command.rest)
        await self.request_context.platform.chat_commands.promote(
            command.rest, await self.request_context.person(command.user)
        )
        return told(language, "slack_promoted", adapter=command.rest)

    async def _rollback(self, command: Command, language: str) -> Said:
        try:
            return told(language, "slack_rolled_back", adapter=await rolled_back(self.request_context, command.user))
        except UsageError:
            return told(language, "slack_no_rollback")


async def learned(request_context: RequestContext, user: str) -> str:
    """Ask for a learning cycle; return the key of the sentence that says how that went."""
    begun = await request_context.platform.chat_commands.learn(await request_context.person(user))
    return "slack_learning" if begun else "slack_learning_waits"


async def rolled_back(request_context: RequestContext, user: str) -> str:
    """Roll back; return the adapter that serves again. Raises UsageError when none served before."""
    return await request_context.platform.chat_commands.rollback(await request_context.person(user))
