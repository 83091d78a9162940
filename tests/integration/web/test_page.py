"""The page as people use it: writing, correcting, learning, on wide and narrow screens, from the keyboard."""

import asyncio

import pytest

from bot.domain.learning import Phase, Verdict
from tests.integration.web.conftest import BOX, Stage


async def test_a_message_is_answered_corrected_and_remembered_from_the_keyboard_alone(stage: Stage) -> None:
    await stage.write("I was charged twice for order L-20418")
    await stage.has("#room-customer", "This is one for billing")
    await stage.has('section[aria-label="billing"] .card', "Very sure · 94%")
    await stage.tab.until(f"{BOX}.value === ''")

    await stage.tab.value("document.querySelector('.card .reaction').focus()")
    for _ in range(5):  # past take, done, wrong team, reply, and billing itself
        await stage.tab.press("ArrowRight")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert await stage.tab.value(focused) == "React with 📦: move to delivery"
    await stage.tab.press("Enter")
    await stage.has('section[aria-label="billing"] .card.moved', "Moved to delivery")
    await stage.has('section[aria-label="delivery"] .card', "Corrected")
    await stage.has("#room-customer", "delivery has your request now")
    pressed = "document.querySelector('.card.moved .reaction').getAttribute('aria-pressed')"
    assert await stage.tab.value(pressed) == "true"

    await stage.write("Hello again! I was charged twice")
    await stage.has('section[aria-label="delivery"] .card .mark.memory', "Remembered")
    await stage.has('section[aria-label="delivery"] .card', "Similar, corrected: I was charged twice for order L-20418")
    await stage.has("#room-customer .thread:last-child", "as with a similar request before")
    assert [m.author.id for m in stage.bot.messages] == ["customer", "customer"]
    assert [(r.emoji, r.added, r.actor.id) for r in stage.bot.reactions] == [("📦", True, "lead")]
    assert await stage.tab.value("getComputedStyle(document.getElementById('toast')).opacity") == "0"
    assert await stage.tab.value("document.querySelectorAll('#hint li.done').length") == 3
    assert stage.tab.complaints == []
    await stage.picture("story-light")
    await stage.tab.size(1440, 900, dark=True)
    await stage.picture("story-dark")


async def test_taking_the_emoji_off_the_struck_card_says_so(stage: Stage) -> None:
    await stage.write("I was charged twice")
    await stage.has('section[aria-label="billing"]', "Very sure")
    await stage.tab.value("document.querySelector('[aria-label=\"React with 📦: move to delivery\"]').click()")
    await stage.has(".card.moved", "take back")
    await stage.tab.value("document.querySelector('.card.moved .reaction').click()")
    await stage.tab.until("!document.querySelector('.card.moved .reaction')")
    assert [(r.emoji, r.added) for r in stage.bot.reactions] == [("📦", True), ("📦", False)]


async def test_learn_now_shows_progress_and_then_the_verdict(stage: Stage) -> None:
    await stage.tab.value("document.getElementById('learn').focus()")
    await stage.tab.press("Enter")
    await stage.has("#lesson", "about to begin")
    stage.bot.learn(Phase.TRAINING, 0.4)
    await stage.has("#lesson", "Training routing-2")
    await stage.tab.until("document.getElementById('lesson-progress').value === 0.4")
    await stage.picture("learning")
    stage.bot.learn(Phase.DONE, 1.0, Verdict(True, ("12 mistakes mended, 0 made, of 240 (p = 0.000)",)))
    await stage.has("#lesson", "Learned: routing-2 serves now. 12 mistakes mended")
    await stage.has(".serving", "routing-2 serves")
    await stage.picture("learned")
    assert [lead.key for lead in stage.bot.world.asked] == ["web:lead"]


async def test_a_question_is_answered_with_a_button(stage: Stage) -> None:
    await stage.write("Where is my lamp?")
    await stage.has("#room-customer .choices", "Something else")
    await stage.picture("question")
    await stage.tab.value("document.querySelectorAll('#room-customer .choice')[1].focus()")
    await stage.tab.press("Enter")
    await stage.has("#room-customer", "You chose delivery.")
    assert [(p.value, p.actor.id) for p in stage.bot.presses] == [("1", "customer")]


async def test_markup_in_a_message_is_shown_as_it_was_written(stage: Stage) -> None:
    nasty = "<img src=x onerror=alert(1)><script>alert(2)</script> & \u202eright to left"
    await stage.write(nasty)
    await stage.has('section[aria-label="billing"] .excerpt', "<script>alert(2)</script>")
    assert await stage.tab.value("document.querySelectorAll('main img, main script').length") == 0
    assert stage.tab.complaints == []


async def test_words_stay_in_the_box_when_they_could_not_be_stored_and_are_sent_once(stage: Stage) -> None:
    stage.bot.down = True
    await stage.write("My parcel is late")
    await stage.has("#toast", "Nothing was stored")
    assert await stage.tab.value(f"{BOX}.value") == "My parcel is late"
    stage.bot.down = False
    await stage.tab.press("Enter")
    await stage.has("#room-customer", "This is one for billing")
    assert [m.text for m in stage.bot.messages] == ["My parcel is late"]


async def test_shift_enter_is_a_new_line_and_a_reply_joins_its_thread(stage: Stage) -> None:
    await stage.tab.value(f"{BOX}.focus()")
    await stage.tab.type("One")
    await stage.tab.press("Enter", shift=True)
    await stage.tab.type("two")
    await stage.tab.press("Enter")
    await stage.has("#room-customer .thread", "This is one for")
    await stage.tab.value("document.querySelector('.respond').click()")
    await stage.tab.type("And one thing more")
    await stage.tab.press("Enter")
    await stage.has("#room-customer .thread:last-child", "And one thing more")
    first, second = stage.bot.messages
    assert first.text == "One\ntwo"
    assert second.place == first.place
    assert await stage.tab.value("document.querySelectorAll('#room-customer .thread').length") == 1


async def test_everything_is_reachable_by_tab(stage: Stage) -> None:
    await stage.write("I was charged twice")
    await stage.has('section[aria-label="billing"]', "Very sure")
    await stage.tab.value("document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        await stage.tab.press("Tab")
        described = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
        reached.add(str(await stage.tab.value(described)))
    wanted = {"Learn now", "Write as the customer", "Write as the employee", "Send", "Hide the four steps"}
    wanted |= {"Edit “I was charged twice”", "Delete “I was charged twice”", "Reply in “I was charged twice”"}
    assert wanted | {"React with 👀: I am on it"} <= reached


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_narrow_screen_shows_one_room_at_a_time_and_never_scrolls_sideways(stage: Stage, dark: bool) -> None:
    await stage.tab.size(400, 800, dark)
    await stage.write("I was charged twice, and " + "Donaudampfschifffahrtsgesellschaft" * 4)
    await stage.has("#room-customer", "This is one for billing")
    scheme = "dark" if dark else "light"
    await stage.picture(f"narrow-customer-{scheme}")
    fits = "document.documentElement.scrollWidth <= 400 && document.body.scrollWidth <= 400"
    assert await stage.tab.value(fits) is True
    await stage.tab.value("document.querySelector('#tabs button:last-child').click()")
    await stage.tab.until("Math.abs(document.getElementById('teams').getBoundingClientRect().left - 12) < 2")
    await stage.tab.until("document.querySelector('#tabs button:last-child').getAttribute('aria-current') === 'true'")
    await stage.picture(f"narrow-teams-{scheme}")
    assert await stage.tab.value(fits) is True


async def test_a_lost_connection_is_said_and_mended(stage: Stage) -> None:
    chat, bot = stage.bot.chat, stage.bot
    listening = next(task for task in asyncio.all_tasks() if task.get_name() == "listen")
    listening.cancel()
    await stage.has("#toast", "Connection lost")
    again = asyncio.create_task(chat.listen(bot), name="listen-again")
    await stage.has("#toast", "Connected again")
    again.cancel()
    await asyncio.wait([again])
