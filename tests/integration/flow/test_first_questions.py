"""The sentiment block of the first settings, uncommented: cards show its answer, from its own examples alone."""

import re
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from bot.domain.decisions import Author
from bot.domain.ledger import ThreadingPolicy
from bot.domain.messages import Message, MessageRef, Person, Place
from bot.domain.posts import Card
from bot.flow.deliver import Deliverer
from bot.flow.questions import QuestionAsker, Questions
from bot.flow.sort import Sorter
from bot.init import of_names, settings_text
from bot.model_stack import build_model_stack
from bot.platforms import platform_modules
from bot.settings import Settings, load
from bot.store import now, open_store
from db.engine import Database
from tests.fakes import FakePlatform

JOINING = ThreadingPolicy(timedelta(0), timedelta(hours=24), timedelta(hours=72))
MESSAGES = {
    "this is unacceptable, I have been waiting for weeks": "Upset",
    "hello, could you please send me the invoice for May": "Calm",
}


def first_settings(folder: Path, database_url: str) -> Settings:
    """What `switchboard init web` writes, with its commented blocks enabled; no model server is started."""
    written = settings_text(of_names(["web"], platform_modules()), http=False)
    text = re.sub(r"^#(?! )", "", written, flags=re.MULTILINE)
    text = text.replace('server = "embedded"', 'server = "http://127.0.0.1:9"')
    (folder / "switchboard.toml").write_text(text, "utf-8")
    return load(folder / "switchboard.toml", {"DATABASE_URL": database_url, "SWITCHBOARD_HELPDESK_SECRET": "s" * 32})


async def test_cards_show_the_first_question_from_its_examples_alone(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    settings, chat = first_settings(tmp_path, database_url), FakePlatform()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        models = await build_model_stack(settings, store, stack)
        await models.embedding_backfill.all(lambda _done: None)
        await models.voice_fitter.step()
        questions = Questions(settings.questions, models.classifier)
        waits = timedelta(0), timedelta(minutes=10)
        sorter = Sorter(settings.routing, store.ledger, models.classifier, *waits, "ask", now, questions=questions)
        asker = QuestionAsker(questions, store.ledger, now)
        deliverer = Deliverer(settings.routing, store.outbox, store.ledger, {"web": chat}, now)
        for number, text in enumerate(MESSAGES):
            person = Person("web", f"customer{number}", "Cleo", "en")
            place = Place("web", person.id, str(number))
            ref = MessageRef("web", person.id, str(number))
            await store.ledger.add_message(Message(ref, place, person, text, now()), JOINING)
        for _ in range(3):
            await sorter.step()
            await asker.step()
            await deliverer.step()
    cards = {card.excerpt: card.answers for item in chat.said if isinstance(card := item.post.content, Card)}
    assert {text: answers[-1].title for text, answers in cards.items() if answers} == MESSAGES
    assert {answer.by for answers in cards.values() for answer in answers} <= {Author.EXAMPLES, Author.MEMORY}
