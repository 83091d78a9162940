"""Commands in Telegram, and their answers. Each affects only the person who gives it."""

from collections.abc import Awaitable, Callable, Mapping

from telegram import InlineKeyboardMarkup

from bot.domain.conversations import State
from bot.domain.messages import Person
from bot.domain.queries import ChatCommands, Erased, Request
from bot.locales import choose
from bot.platforms.telegram.facts import Command
from bot.platforms.telegram.locales import sentence
from bot.platforms.telegram.markup import LINE, MOST, Said, cut, keyboard, plain
from bot.platforms.telegram.menu import described
from bot.platforms.wording import RenderContext

_LISTED = 10
_EXCERPT = 100
_YES, _NO = "yes", "no"


class Commands:
    """Carries out commands. A command has taken effect when its answer is returned; repeating it does no harm."""

    def __init__(self, chat_commands: ChatCommands, rendering: RenderContext) -> None:
        self._desk = chat_commands
        self._rendering = rendering
        self._obey: Mapping[str, Callable[[Command, str], Awaitable[Said]]] = {
            "start": self._start,
            "help": self._help,
            "new": self._new,
            "status": self._status,
            "language": self._language,
            "privacy": self._privacy,
            "forget": self._forget,
        }

    async def answer(self, command: Command) -> Said:
        """Carry out the command and return the answer. Raises Unreachable when nothing was done."""
        language = await self._spoken_with(command.person)
        if command.name in self._obey:
            return await self._obey[command.name](command, language)
        return Said(plain(sentence(language, "telegram_unknown")))

    async def _spoken_with(self, person: Person) -> str:
        return choose(await self._desk.language(person) or person.language, self._rendering.languages)

    async def _start(self, command: Command, language: str) -> Said:
        """Ask for words. The payload of a deep link tells where the person came from, not what they need."""
        return Said(plain(sentence(language, "words_please")))

    async def _help(self, command: Command, language: str) -> Said:
        return Said(plain(sentence(language, "telegram_help", commands=described(language))))

    async def _privacy(self, command: Command, language: str) -> Said:
        return Said(plain(sentence(language, "telegram_privacy")))

    async def _new(self, command: Command, language: str) -> Said:
        await self._desk.new_request(command.person, command.place.chat)
        return Said(plain(sentence(language, "telegram_new")))

    async def _status(self, command: Command, language: str) -> Said:
        requests = await self._desk.requests_of(command.person)
        # Where others can read the answer, list only requests made in this chat.
        shown = [one for one in requests if command.private or one.source.chat == command.place.chat][:_LISTED]
        if not shown:
            return Said(plain(sentence(language, "telegram_status_none")))
        lines = [plain(f"• {cut(one.excerpt, _EXCERPT)} – {self._stage(one, language)}", 2 * LINE) for one in shown]
        return Said("\n".join([f"<b>{plain(sentence(language, 'telegram_status'))}</b>", *lines]))

    def _stage(self, request: Request, language: str) -> str:
        if request.label is not None and request.state is not State.ASKED:
            return sentence(language, "telegram_status_team", team=self._rendering.task.shown(request.label))
        asked = request.state is State.ASKED
        return sentence(language, "telegram_status_asked" if asked else "telegram_status_sorting")

    async def _language(self, command: Command, language: str) -> Said:
        wanted = _offered(command.argument, self._rendering.languages)
        if wanted is not None:
            await self._desk.speak(command.person, wanted)
            return Said(plain(sentence(wanted, "telegram_speaks")))
        key = "telegram_languages_unknown" if command.argument else "telegram_languages"
        choices = [(sentence(one, "telegram_language"), one) for one in self._rendering.languages]
        return Said(plain(sentence(language, key)), _buttons(command, choices))

    async def _forget(self, command: Command, language: str) -> Said:
        """Ask, and erase only when the button is pressed, never by the command itself."""
        if command.pressed and command.argument == _YES:
            return Said(plain(_forgotten(await self._desk.forget(command.person), language)))
        if command.pressed:
            return Said(plain(sentence(language, "telegram_kept")))
        choices = [(sentence(language, "telegram_forget_yes"), _YES), (sentence(language, "telegram_forget_no"), _NO)]
        return Said(plain(sentence(language, "telegram_forget"), MOST), _buttons(command, choices))


def _forgotten(erased: Erased, language: str) -> str:
    """What was erased, and until when a model serves that had learned from it."""
    done = sentence(language, "telegram_forgotten")
    if erased.serve_until is None:
        return done
    date = f"{erased.serve_until:%Y-%m-%d}"
    return f"{done} {sentence(language, 'telegram_forgotten_model', date=date)}"


def _buttons(command: Command, choices: list[tuple[str, str]]) -> InlineKeyboardMarkup:
    """Buttons that carry the person's id, since anybody in a group can press them."""
    return keyboard((words, f"/{command.name} {command.person.id} {value}") for words, value in choices)


def _offered(written: str, languages: tuple[str, ...]) -> str | None:
    """The language named by its tag or by its own name; None when none matches."""
    wanted = written.strip().lower().replace("_", "-")
    for language in languages:
        names = (language, language.partition("-")[0], sentence(language, "telegram_language").partition(" ")[0])
        if wanted in [name.lower() for name in names]:
            return language
    return None
