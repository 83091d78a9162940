"""The Home tab: published when it is opened; each press of its buttons is authorised anew."""

from dataclasses import dataclass

from bot.domain.errors import Refused, UsageError
from bot.domain.messages import Person, Reaction, choice
from bot.domain.ports import Inbox
from bot.platforms.slack.commands import learned, rolled_back
from bot.platforms.slack.home_view import Desktop, ForLeads, home
from bot.platforms.slack.interactions import Asked, ExtraButton, HomeChoice
from bot.platforms.slack.locales import sentence
from bot.platforms.slack.payload import NAME
from bot.platforms.slack.request_context import RequestContext
from bot.platforms.slack.web_api import ask


@dataclass(frozen=True, slots=True)
class HomeTab:
    """Publishes the tab and carries out the presses of its buttons."""

    request_context: RequestContext
    inbox: Inbox

    async def show(self, user: str, news: str = "") -> None:
        """Publish the tab for this person as things are now. Raises Unreachable, Refused."""
        language, task = await self.request_context.language(user), self.request_context.platform.task
        requests = await self.request_context.platform.chat_commands.requests_of(Person(NAME, user))
        leads = await self._for_leads(user) if await self.request_context.permissions.leads(user) else None
        links = await self.request_context.links(requests)
        if leads is not None:
            links = await self.request_context.links(leads.doubtful, to_cards=True) | links
        view = home(Desktop(requests, links, news, leads), task, language)
        await ask(self.request_context.client.views_publish(user_id=user, view=view))

    async def choose(self, picked: HomeChoice) -> bool:
        """Store a lead's choice; False when the person is no lead, or no team has that name. Raises Unreachable."""
        known = picked.team in self.request_context.platform.task.names
        if not known or not await self.request_context.permissions.leads(picked.user):
            return False
        person = await self.request_context.person(picked.user)
        await self.inbox.reaction(Reaction(picked.source, person, choice(picked.team), added=True, at=picked.at))
        return True

    async def press(self, asked: Asked) -> None:
        """Learn or roll back, and show the result."""
        language = await self.request_context.language(asked.user)
        if not await self.request_context.permissions.runs(asked.user):
            await self.show(asked.user, sentence(language, "slack_leads_only"))
            return
        try:
            news = await self._done(asked, language)
        except (UsageError, Refused) as error:
            news = str(error)
        await self.show(asked.user, news)

    async def _done(self, asked: Asked, language: str) -> str:
        if asked.button is ExtraButton.LEARN:
            return sentence(language, await learned(self.request_context, asked.user))
        return sentence(language, "slack_rolled_back", adapter=await rolled_back(self.request_context, asked.user))

    async def _for_leads(self, user: str) -> ForLeads:
        chat_commands = self.request_context.platform.chat_commands
        runs = await self.request_context.permissions.runs(user)
        return ForLeads(await chat_commands.doubtful(), await chat_commands.week(), await chat_commands.serving(), runs)
