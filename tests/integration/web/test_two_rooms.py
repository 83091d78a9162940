"""The page where a person and a team meet: notes, answers, take and done, edits and deletions."""

from tests.integration.web.conftest import BOX, Stage

CARD = 'section[aria-label="billing"] .card'
WRITER = f"{CARD} .writer textarea"
FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
EMPLOYEE = "document.querySelector('#room-employee textarea')"


async def _asked(stage: Stage, text: str = "I was charged twice") -> None:
    """Ask it, and wait for its card."""
    await stage.write(text)
    await stage.has(f"{CARD} .excerpt", text)


async def _click(stage: Stage, selector: str) -> None:
    await stage.tab.until(f"document.querySelector({selector!r})")
    await stage.tab.value(f"document.querySelector({selector!r}).click()")


async def _under_the_card(stage: Stage, text: str) -> None:
    """Write it in the box under the card, and leave the box."""
    await _click(stage, f"{CARD} .write-under")
    await stage.tab.type(text)


async def test_enter_keeps_a_note_and_nothing_of_it_reaches_the_person(stage: Stage) -> None:
    await _asked(stage)
    await stage.tab.value(f"document.querySelector({CARD + ' .reaction'!r}).focus()")
    for _ in range(3):
        await stage.tab.press("ArrowRight")
    assert await stage.tab.value(FOCUSED) == "Write under this card"
    await stage.tab.press("Enter")
    await stage.tab.type("The third one today")
    await stage.tab.press("Enter")
    await stage.has(f"{CARD} .under.note", "The third one today")
    await stage.has(f"{CARD} .under.note", "Only your team sees this. Send it to Customer?")
    assert [(note.text, note.send, note.author.id) for note in stage.bot.notes] == [
        ("The third one today", False, "lead")
    ]
    assert "third" not in await stage.text("#room-customer")
    assert await stage.tab.value(FOCUSED) == "Write under this card"
    await stage.picture("note")


async def test_a_note_is_sent_by_its_button_and_says_how_it_fared(stage: Stage) -> None:
    await _asked(stage)
    await _under_the_card(stage, "Sorry about that!")
    await stage.tab.press("Enter")
    await stage.has(f"{CARD} .under.note .choice", "Send")
    await stage.tab.value(f"document.querySelector({CARD + ' .under.note .choice'!r}).focus()")
    await stage.tab.press("Enter")
    await stage.has(f"{CARD} .under.sent", "Lead sent to Customer ✓")
    await stage.has("#room-customer .line.reply", "billing writes:")
    await stage.has("#room-customer .line.reply", "Sorry about that!")
    assert [(press.value, press.actor.id) for press in stage.bot.presses] == [("send", "lead")]
    assert await stage.tab.value("document.querySelectorAll('.under').length") == 1


async def test_a_note_is_sent_by_its_emoji(stage: Stage) -> None:
    await _asked(stage)
    await _under_the_card(stage, "Sorry about that!")
    await stage.tab.press("Enter")
    await _click(stage, f"{CARD} .under.note .reaction")
    await stage.has("#room-customer .line.reply", "Sorry about that!")
    assert [(one.emoji, one.added, one.ref.id) for one in stage.bot.reactions] == [
        ("📤", True, stage.bot.notes[0].ref.id)
    ]


async def test_the_second_button_sends_at_once_and_the_answer_comes_back(stage: Stage) -> None:
    await _asked(stage)
    await _under_the_card(stage, "Which order is it?")
    await _click(stage, f"{CARD} .give")
    await stage.has("#toast", "On its way to Customer")
    await stage.has("#room-customer .line.reply", "Which order is it?")
    await _click(stage, "#room-customer .respond")
    await stage.tab.type("L-20418")
    await stage.tab.press("Enter")
    await stage.has(f"{CARD} .under.follow-up", "L-20418")
    assert [note.send for note in stage.bot.notes] == [True]
    assert await stage.tab.value("document.querySelector('#step-4').classList.contains('done')") is True
    await stage.picture("answered")


async def test_what_cannot_be_delivered_says_why_under_the_card(stage: Stage) -> None:
    stage.bot.unreachable = "the customer blocked the bot"
    await _asked(stage)
    await _under_the_card(stage, "Sorry!")
    await _click(stage, f"{CARD} .give")
    await stage.has(f"{CARD} .under.failed", "Not delivered to Customer ✗ the customer blocked the bot")


async def test_what_somebody_types_under_a_card_survives_news_about_it(stage: Stage) -> None:
    await _asked(stage)
    await _under_the_card(stage, "Half a sent")
    await stage.tab.value(f"document.querySelector({WRITER!r}).setSelectionRange(4, 4)")
    await stage.bot.edit_of("I was charged twice", "I was charged three times")
    await stage.has(CARD, "The person changed their words since")
    await stage.tab.type(" of")
    assert await stage.tab.value(f"document.querySelector({WRITER!r}).value") == "Half of a sent"
    await stage.tab.press("Escape")
    assert await stage.tab.value(f"document.querySelector({CARD + ' .writer'!r}).hidden") is True
    assert stage.bot.notes == []


async def test_a_note_that_could_not_be_stored_stays_in_the_box_and_is_kept_once(stage: Stage) -> None:
    await _asked(stage)
    await _under_the_card(stage, "The third one today")
    stage.bot.down = True
    await stage.tab.press("Enter")
    await stage.has("#toast", "Nothing was stored")
    assert await stage.tab.value(f"document.querySelector({WRITER!r}).value") == "The third one today"
    stage.bot.down = False
    await stage.tab.press("Enter")
    await stage.has(f"{CARD} .under.note", "The third one today")
    assert len(stage.bot.notes) == 1


async def test_a_note_is_changed_and_deleted(stage: Stage) -> None:
    await _asked(stage)
    await _under_the_card(stage, "Teh third")
    await stage.tab.press("Enter")
    await _click(stage, f"{CARD} .under.note [aria-label^=Edit]")
    assert await stage.tab.value(f"document.querySelector({WRITER!r}).value") == "Teh third"
    assert await stage.tab.value(f"document.querySelector({CARD + ' .give'!r}).hidden") is True
    await stage.tab.value("document.activeElement.select()")
    await stage.tab.type("The third")
    await stage.tab.press("Enter")
    await stage.has(f"{CARD} .under.note", "The third")
    await stage.has(f"{CARD} .under.note", "edited")
    assert [(edit.text, edit.ref) for edit in stage.bot.edits] == [("The third", stage.bot.notes[0].ref)]
    delete = f"{CARD} .under.note [aria-label^=Delete]"
    await _click(stage, delete)
    await stage.has(delete, "Really delete?")
    assert stage.bot.deletions == []
    await _click(stage, delete)
    await stage.has(f"{CARD} .under.note", "Lead deleted a note")


async def test_take_and_done_and_the_persons_word_on_it(stage: Stage) -> None:
    await _asked(stage)
    await _click(stage, f"{CARD} [aria-label^='React with 👀']")
    await stage.has(f"{CARD} .fact.taken", "Lead is on it")
    await _click(stage, f"{CARD} [aria-label^='React with ✅']")
    await stage.has(f"{CARD}.closed", "Done")
    await stage.has("#room-customer", "billing thinks that this is dealt with. Is it?")
    await stage.picture("done")
    await stage.tab.value("document.querySelectorAll('#room-customer .choice')[1].focus()")
    await stage.tab.press("Enter")
    await stage.has(f"{CARD} .under.notice", "Customer says that it is not solved")
    await stage.has("#room-customer", "I told billing that it is not solved yet.")
    assert [(press.value, press.actor.id) for press in stage.bot.presses] == [("no", "customer")]
    await _click(stage, f"{CARD} [aria-label^='React with ✅']")
    await stage.tab.until(f"!document.querySelector({CARD + '.closed'!r})")


async def test_thumbs_down_asks_which_team_and_the_button_moves_the_card_with_its_history(stage: Stage) -> None:
    await _asked(stage)
    await _under_the_card(stage, "Not ours")
    await stage.tab.press("Enter")
    await stage.has(f"{CARD} .under.note", "Not ours")
    await _click(stage, f"{CARD} [aria-label^='React with 👎']")
    await stage.has(f"{CARD} .under.wrong-team", "Which team does this belong to?")
    await stage.picture("wrong-team")
    await _click(stage, f"{CARD} .under.wrong-team .choice")
    await stage.has(f"{CARD}.moved", "Moved to delivery")
    moved = 'section[aria-label="delivery"] .card'
    await stage.has(f"{moved} .history", "So far (1)")
    await _click(stage, f"{moved} summary")
    await _click(stage, f"{moved} [aria-label^='React with 👀']")
    await stage.has(f"{moved} .fact.taken", "Lead is on it")
    await stage.has(f"{moved} .history", "Lead: Not ours")
    assert [(press.value, press.actor.id) for press in stage.bot.presses] == [("0", "lead")]
    await _click(stage, f"{CARD}.moved .jump")
    assert "card-delivery/" in str(await stage.tab.value("document.activeElement.id"))


async def test_people_change_and_delete_what_they_wrote(stage: Stage) -> None:
    await _asked(stage, "I was charged twcie")
    await stage.tab.value(f"{BOX}.focus()")
    await stage.tab.type("a draft")
    await stage.tab.value("document.querySelector('#room-customer [aria-label^=Edit]').click()")
    assert await stage.tab.value(f"{BOX}.value") == "I was charged twcie"
    await stage.has("#room-customer .doing", "Changing “I was charged twcie”")
    await stage.tab.press("Escape")
    assert await stage.tab.value(f"{BOX}.value") == "a draft"
    await stage.tab.value("document.querySelector('#room-customer [aria-label^=Edit]').click()")
    await stage.tab.value("document.activeElement.select()")
    await stage.tab.type("I was charged twice")
    await stage.tab.press("Enter")
    await stage.has("#room-customer .line.person", "I was charged twice")
    await stage.has("#room-customer .line.person", "edited")
    await stage.has(f"{CARD} .excerpt", "I was charged twice")
    assert await stage.tab.value(f"{BOX}.value") == "a draft"
    delete = "#room-customer [aria-label^=Delete]"
    await _click(stage, delete)
    assert stage.bot.deletions == []
    await _click(stage, delete)
    await stage.has("#room-customer .line.person.gone", "Deleted")
    await stage.has(f"{CARD} .excerpt", "The person deleted this")
    assert "charged" not in await stage.text("#teams")


async def test_news_is_read_out_and_what_somebody_wrote_themselves_is_not(stage: Stage) -> None:
    await _asked(stage)
    await stage.has("#news", "billing: Very sure · 94%. I was charged twice")
    await stage.has("#news", "Customer: Thanks! This is one for billing.")
    await _under_the_card(stage, "Between us")
    await stage.tab.press("Enter")
    await stage.has(f"{CARD} .under.note", "Between us")
    await _click(stage, f"{CARD} [aria-label^='React with 👀']")
    await stage.has("#news", "Lead is on it")
    assert "Between us" not in str(await stage.tab.value("document.getElementById('news').textContent"))


async def test_on_a_narrow_screen_the_box_under_a_card_fits(stage: Stage) -> None:
    await stage.tab.size(400, 800)
    await _asked(stage)
    await _click(stage, "#tabs button:last-child")
    await stage.tab.until("Math.abs(document.getElementById('teams').getBoundingClientRect().left - 12) < 2")
    await _under_the_card(stage, "Donaudampfschifffahrtsgesellschaft" * 5)
    await stage.picture("narrow-writer")
    edges = f"[...document.querySelectorAll({CARD + ' :is(button, textarea)'!r})].map((n) => n.getBoundingClientRect())"
    await stage.tab.until(f"{edges}.every((r) => !r.width || (r.left >= 0 && r.right <= 400))")
    targets = f"[...document.querySelectorAll({CARD + ' .writer-acts button'!r})]"
    assert await stage.tab.value(f"{targets}.every((n) => n.getBoundingClientRect().height >= 32)") is True
    assert await stage.tab.value("document.documentElement.scrollWidth") == 400
    assert await stage.tab.value(f"Boolean({EMPLOYEE})") is True


async def test_every_button_and_box_has_a_name(stage: Stage) -> None:
    await _asked(stage)
    await _under_the_card(stage, "One")
    await stage.tab.press("Enter")
    await stage.has(f"{CARD} .under.note", "One")
    nameless = (
        "[...document.querySelectorAll('button, textarea, summary')]"
        ".filter((node) => !(node.getAttribute('aria-label') ?? node.textContent).trim()).length"
    )
    assert await stage.tab.value(nameless) == 0
    assert stage.tab.complaints == []
