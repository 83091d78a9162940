"""The composition root: settings become a running system."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bot.check import of_asking, of_platforms, of_the_cluster, of_the_model, of_the_schedule, of_the_teams
from bot.demo import company
from bot.domain.errors import Refused, SwitchboardError
from bot.domain.messages import Person
from bot.domain.ports import Platform
from bot.domain.queries import Erased
from bot.domain.questions import hearing
from bot.flow.chat_commands import ChatCommandHandler
from bot.flow.classify import Classifier
from bot.model_server import of_the_server
from bot.model_stack import champions_fit, open_model_stack
from bot.platforms import Finding, PlatformContext, platform_modules
from bot.settings import Settings, load
from bot.store import Store, now, open_store
from db.installations import PostgresInstallations
from db.server.probe import probed


def demo_settings(home: Path) -> Settings:
    """The demo company's settings, with everything that it stores under `home`."""
    return load(company.SETTINGS, home=home)


async def forget(settings: Settings, person: Person) -> Erased:
    """Erase a person's words; their cards are rewritten as soon as the bot runs. A repeat changes nothing."""
    async with open_store(settings) as store:
        return await store.erasure.erase(person, now())


async def check(settings: Settings, which: str | None, live: bool) -> AsyncIterator[tuple[str, Finding]]:
    """Yield (part, finding), the database first and the model last; for `which` set, that one platform alone."""
    answers = "the database answers"
    try:
        async with open_store(settings) as store:
            if which is None:
                async for works in probed(store.database):
                    yield "database", Finding(works, True)
                async for deaf in of_the_teams(settings.tasks, store.team_changes):
                    yield "teams", deaf
                for task in settings.tasks:
                    yield "schedule", of_the_schedule(task, now())
                    if asks := await of_asking(task, settings.model.base, store.registry):
                        yield "asking", asks
            configs = {name: config for name, config in settings.platforms.items() if which in (None, name)}
            async for found in of_platforms(configs, platform_context(settings, store), live):
                yield found
    except SwitchboardError as error:
        yield "database", Finding(answers, False, str(error))
        return
    if which is None:
        if settings.training is not None:
            yield "training", await of_the_cluster(settings.training.address)
        async for proved in _server(settings):
            yield "model", proved
        yield "model", await of_the_model(settings.routing, lambda: _classifier(settings))


async def _server(settings: Settings) -> AsyncIterator[Finding]:
    try:
        async for proved in of_the_server(settings.model, settings.tasks):
            yield proved
    except SwitchboardError as error:  # no such base, or one that is no Llama
        yield Finding(f"the base model {settings.model.base}", False, str(error))


@asynccontextmanager
async def _classifier(settings: Settings) -> AsyncIterator[Classifier]:
    async with open_model_stack(settings) as (_, models):
        await models.adapters.loaded()  # an untrained model is not asked, so see whether it is there
        try:
            await champions_fit(settings, models)
        except Refused as error:
            mend = f"copy its folder to {settings.model.runs}, or let another serve: switchboard rollback"
            raise Refused(f"{error}; {mend}") from error
        yield models.classifier


def platform_context(settings: Settings, store: Store) -> PlatformContext:
    """What platforms may use besides their own settings."""
    task, base = settings.routing, settings.model.base
    return PlatformContext(
        task=task,
        languages=settings.languages,
        base=base,
        vocabulary=settings.vocabulary,
        ledger=store.ledger,
        chat_commands=ChatCommandHandler(task, base, store.queries, store.registry, store.ledger, store.erasure, now),
        transcript=store.transcript,
        registry=store.registry,
        examples=store.examples,
        hearing=hearing(settings.questions),
        installations=PostgresInstallations(store.database),
    )


async def connect_platforms(settings: Settings, store: Store, stack: AsyncExitStack) -> dict[str, Platform]:
    """Connect every platform of the settings, ready to speak. Raises Refused naming a token that does not work."""
    around, known = platform_context(settings, store), platform_modules()
    return {
        name: await stack.enter_async_context(known[name].connect(config, around))
        for name, config in settings.platforms.items()
    }
