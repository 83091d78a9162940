"""The learning life in one running bot, as leads on Slack and Telegram live it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.commands.team_changes import _posts
from bot.domain import compose
from bot.domain.errors import Refused
from bot.domain.learning import Phase, Verdict
from bot.domain.team_changes import Kind, TeamChange
from bot.locales import sentence
from bot.platforms.telegram.locales import sentence as telegram_sentence
from db.shadow import PostgresShadows
from db.team_changes import PostgresTeamChanges
from tests.servers.slack.blocks import buttons
from tests.servers.telegram import User as Customer
from tests.worlds.company import CHANNELS, GROUPS, HELP, SLACK_LEAD, TELEGRAM_LEAD
from tests.worlds.running_company import DAY, Company, company, pressable, until

REFUSED = Verdict(False, ("not proven better",), {"n": 31.0, "candidate_accuracy": 0.9, "champion_accuracy": 0.8})
BETTER = Verdict(True, ("better",), {"n": 400.0, "p_value": 0.001})
STRANGER = 1234
LANGUAGES = ["en", pytest.param("pt-BR", marks=pytest.mark.slow), pytest.param("es", marks=pytest.mark.slow)]


def learning(*lines: str, language: str = "en") -> "partial[str]":
    return partial(_with, lines, language)


def _with(lines: tuple[str, ...], language: str, written: str) -> str:
    spoken = written.replace('languages = ["en", "pt-BR", "es"]', f'languages = ["{language}"]')
    return "\n".join([spoken, "[tasks.routing.learning]", *lines, ""])


def _with_all_languages(written: str) -> str:
    return f"{written}\n[tasks.routing.learning]\nshadow = true\n"


@pytest.fixture
async def life(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path, monkeypatch) as found:
        found.around.telegram.add_member(GROUPS["triage"], STRANGER)
        yield found


# --- a candidate in the shadow ---


async def carded(life: Company, name: str) -> None:
    """A refused candidate is in the shadow, and its card is in both of the leads' rooms."""
    made = await life.judged(name, REFUSED)
    otherwise = dict.fromkeys(await life.decided("routing-seed", 6, 20), "delivery")
    await PostgresShadows(life.database, life.registry).heard(made, otherwise, datetime.now(UTC))
    await life.leads_read(name)


async def press(life: Company, name: str, value: str, by: str | int) -> str:
    """Somebody presses a button of the card, there on Slack or on Telegram; what Telegram answers at once."""
    if isinstance(by, str):
        [card] = life.leads_slack(name)
        wanted = [str(one["action_id"]) for one in buttons(card.blocks) if one.get("value") == value]
        await life.around.slack.presses(by, card.channel, card.ts, next(iter(wanted), f"choose_{value}"), value)
        return ""
    [post] = life.leads_telegram(name)
    query = await life.around.telegram.presses(by, post.chat, post.message_id, value)
    answer = await until(lambda: life.around.telegram.answers(query))
    return str(answer.get("text", "")) if answer else ""


async def reads_everywhere(life: Company, name: str, words: str) -> None:
    """Wait until the candidate's card says so in both rooms, and has no buttons."""

    def says() -> bool:
        slack, telegram = life.leads_slack(name), life.leads_telegram(name)
        over = [words in post.text and not pressable(post) for post in slack]
        return [*over, *(words in post.text and not pressable(post) for post in telegram)] == [True, True]

    await until(says)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_leads_rule_on_candidates_in_the_shadow_from_both_platforms(life: Company, language: str) -> None:
    said = partial(sentence, language)
    async with life.runs(learning("shadow = true", language=language)):
        await carded(life, "routing-2")
        [card] = life.leads_slack("routing-2")
        assert pressable(card) == [said("shadow_promote"), said("shadow_keep"), said("shadow_explain")]
        await others_are_refused(life, "routing-2", said("notice_no_model_lead"))
        await it_is_explained_once(life, "routing-2", language)
        await press(life, "routing-2", "keep", SLACK_LEAD)
        await reads_everywhere(life, "routing-2", said("shadow_card_kept", by="Lead"))
        over = telegram_sentence(language, "telegram_press_over")
        assert await press(life, "routing-2", "promote", TELEGRAM_LEAD) == over

        await carded(life, "routing-3")
        await press(life, "routing-3", "promote", TELEGRAM_LEAD)
        await press(life, "routing-3", "keep", SLACK_LEAD)
        await until(lambda: not pressable(life.leads_slack("routing-3")[0]))
        served = (await life.champion()).name == "routing-3"
        fate = said("shadow_card_promoted", by=f"Person {TELEGRAM_LEAD}", adapter="routing-3")
        await reads_everywhere(life, "routing-3", fate if served else said("shadow_card_kept", by="Lead"))


@pytest.mark.slow
async def test_a_card_says_what_was_decided_elsewhere(life: Company) -> None:
    said, now = partial(sentence, "en"), partial(datetime.now, UTC)
    async with life.runs(learning("shadow = true")):
        await carded(life, "routing-4")
        await life.registry.promote("routing", "routing-4", "slack:U0LEAD", "by hand", now(), base="starter")
        by_command = said("shadow_card_promoted", by=said("someone"), adapter="routing-4")
        await reads_everywhere(life, "routing-4", by_command)
        await carded(life, "routing-5")
        await life.registry.rollback("routing", "command", now(), base="starter")
        await reads_everywhere(life, "routing-5", said("shadow_card_superseded"))


async def others_are_refused(life: Company, name: str, words: str) -> None:
    """Somebody who is no lead presses, on both platforms, and alone reads why nothing happened."""
    assert await press(life, name, "promote", STRANGER) == words
    await press(life, name, "promote", "U0ANN")
    shown = await until(lambda: life.around.slack.ephemerals(CHANNELS["triage"], "U0ANN"))
    assert [post.text for post in shown] == [words]
    assert (await life.champion()).name == "routing-seed"


async def it_is_explained_once(life: Company, name: str, language: str) -> None:
    """Leads ask on both platforms, twice: in each room there is one explanation."""
    for _ in range(2):
        await press(life, name, "explain", SLACK_LEAD)
        assert await press(life, name, "explain", TELEGRAM_LEAD) == ""
    words = sentence(language, "shadow_explained", adapter=name, messages=31, right="90.0%", before="80.0%")

    def said() -> list[str]:
        slack = life.around.slack.posts(CHANNELS["triage"])
        telegram = life.around.telegram.posts(GROUPS["triage"])
        return [post.text for post in slack if words in post.text] + [p.text for p in telegram if words in p.text]

    await until(lambda: len(said()) == 2)
    pressed = "SELECT count(*) FROM shadow_rulings WHERE ruling = 'explain'"
    async with asyncio.timeout(60):
        while True:
            if await life.rows(pressed) == [(4,)]:
                break
            await asyncio.sleep(0.05)
    assert len(said()) == 2


# --- a canary, and a rollback ---


@pytest.mark.slow
async def test_leads_hear_once_how_a_canary_and_a_rollback_end_though_the_bot_starts_again(life: Company) -> None:
    canary = learning("canary = 0.3")

    async def begins(name: str) -> None:
        task = life.settings(canary).routing
        await life.judged(name, BETTER, 0.3, compose.learned(task, name, BETTER, task, 0.3))
        await life.leads_read(f"Learned: {name} proved better, and serves 30% of the requests first.")
        await life.changes("UPDATE canaries SET started_at = started_at - interval '5 days'")

    withdrawn = "routing-2 was withdrawn: as a canary leads corrected 40 of its 80 decisions, and 40 of 400"
    async with life.runs(canary):
        await begins("routing-2")
        people = [await life.around.says(f"Who can look at my matter number {n}?") for n in range(12)]
        for person in people:
            await life.around.answered(person)
        sides = {one for (one,) in await life.rows("SELECT DISTINCT adapter FROM decisions WHERE adapter IS NOT NULL")}
        assert sides == {"routing-seed", "routing-2"}, "each serves its share of the conversations"
        await life.decided("routing-seed", 400, 2, corrected=40)
        await life.decided("routing-2", 80, 2, corrected=40)
        await life.leads_read(withdrawn)
    promoted = "routing-3 serves everybody now: as a canary leads corrected 27 of its 300 decisions, and 90 of 900"
    back = "routing-3 was withdrawn: leads corrected 75 of its 300 decisions, and 40 of 500 before it"
    async with life.runs(canary):
        await nothing_was_decided(life)
        await begins("routing-3")
        await life.decided("routing-seed", 900, 2, corrected=90)
        await life.decided("routing-3", 300, 2, corrected=27)
        await life.leads_read(promoted)
        await nothing_was_decided(life)
        await life.changes("UPDATE promotions SET at = at - interval '20 days' WHERE adapter = 'routing-3'")
        await life.decided("routing-seed", 500, 40, corrected=40)
        await life.decided("routing-3", 300, 2, corrected=75)
        await life.leads_read(back)
    async with life.runs(canary):
        person = await life.around.says("Is anybody there?")
        await life.around.answered(person)
        for told in (withdrawn, promoted, back):
            await life.leads_read(told)
    assert (await life.champion()).name == "routing-seed"


async def nothing_was_decided(life: Company) -> None:
    """Forget the figures so far, so that the next ones count alone."""
    await life.changes("DELETE FROM corrections")
    await life.changes("DELETE FROM decisions")


# --- the digest ---


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_digest_of_the_week_comes_with_a_picture_and_nobodys_words(life: Company, language: str) -> None:
    await life.registry.record_tick("digest of routing", datetime.now(UTC) - 15 * DAY)
    await life.decided("routing-seed", 12, 2, corrected=4)
    await life.decided("routing-seed", 5, 9)
    title = sentence(language, "digest_title", decided=12, moved=4, asked=0, task="routing")
    slack, telegram = life.around.slack, life.around.telegram
    async with life.runs(learning('digest = "0 9 * * mon"', language=language)):
        await life.leads_read(title)
        pair = sentence(language, "digest_pair", count=4, decided="billing", belongs="delivery")
        assert pair in life.leads_slack(title)[0].text and pair in life.leads_telegram(title)[0].text
        stored = await until(lambda: [one for one in slack.files.stored.values() if one.shared])
        sent = await until(lambda: [content for _, content in telegram.account.files.values()])
    [uploaded] = stored
    assert (uploaded.shared, uploaded.thread) == ([CHANNELS["triage"]], life.leads_slack(title)[0].ts)
    assert sent == [uploaded.content], "the same picture on both"
    with Image.open(BytesIO(uploaded.content)) as picture:
        assert picture.format == "PNG" and picture.width == 1000 and picture.height > 100, "two teams, one row each"
    everything = json.dumps([str(call.args) for call in (*slack.calls, *telegram.calls)])
    assert "xylophone" not in everything


# --- teams that change meanwhile ---


def _asks(written: str) -> str:
    changed, found = re.subn(r"unasked_right = [0-9.]+", "ask_below = 1.0", written, count=1)
    assert found == 1
    return changed


@pytest.mark.parametrize("kind", [Kind.MERGE, pytest.param(Kind.RETIRE, marks=pytest.mark.slow)])
async def test_a_tap_and_an_emoji_of_a_team_that_ended_while_the_bot_was_stopped(life: Company, kind: Kind) -> None:
    slack, telegram = life.around.slack, life.around.telegram
    async with life.runs(_asks):
        ts = await life.around.asks("Something is odd with AAA")
        person = await life.around.says("Something is odd with AAA")
        await life.around.replied(ts)
        await life.around.answered(person)
    [asked], question = [one for one in slack.posts(HELP) if one.thread_ts == ts], telegram.posts(person)[-1]
    shared = [team for team in pressable(asked) if team in pressable(question)]
    ended = next(team for team in shared if team in CHANNELS and team != "triage")
    heir = "triage" if kind is Kind.RETIRE else next(one for one in CHANNELS if one not in (ended, "triage"))
    emoji = life.settings(_asks).routing.label(ended).emoji

    def without(written: str) -> str:
        block = rf"\[tasks\.routing\.labels\.{ended}\].*?(?=\n\[|\Z)"
        return re.sub(block, "", _asks(written), flags=re.DOTALL)

    task = life.settings(without).routing
    change, now = TeamChange(kind, ended, heir, "ann"), datetime.now(UTC)
    await PostgresTeamChanges(life.database).change(task, change, partial(_posts, task), now, dry_run=False)
    async with life.runs(without):
        [press] = [one for one in buttons(asked.blocks) if one["value"] == str(pressable(asked).index(ended))]
        await slack.presses("U0ANN", HELP, asked.ts, str(press["action_id"]), str(press["value"]))
        await telegram.presses(person, person, question.message_id, str(pressable(question).index(ended)))
        card, hers = await life.around.slack_card(heir, "AAA"), await life.around.telegram_card(heir, "AAA")
        assert (await until(lambda: life.around.replies(ts)))[-1] == f"You chose {heir}."
        await slack.reacts(SLACK_LEAD, CHANNELS[heir], card.ts, emoji["slack"])
        await telegram.reacts(TELEGRAM_LEAD, GROUPS[heir], hers.message_id, [emoji["telegram"]])
        await slack.reacts(SLACK_LEAD, CHANNELS[heir], card.ts, "eyes")
        await telegram.reacts(TELEGRAM_LEAD, GROUPS[heir], hers.message_id, [emoji["telegram"], "👀"])
        await until(lambda: "Lead" in str(slack.space.post(card.channel, card.ts).blocks))
        await until(lambda: "is on it" in telegram.account.posts[hers.chat, hers.message_id].text)
        assert (life.around.slack_rooms("AAA"), life.around.telegram_rooms("AAA")) == ([heir], [heir])


# --- somebody is forgotten ---


async def test_who_is_forgotten_while_it_learns_reads_what_is_true_and_so_do_leads(life: Company) -> None:
    slack, telegram = life.around.slack, life.around.telegram
    telegram.add_user(Customer(id=8800, first_name="Quirina", language_code="es"))
    takes_longer = telegram_sentence("es", "telegram_forgotten_model", date=f"{datetime.now(UTC) + 30 * DAY:%Y-%m-%d}")
    async with life.runs(_with_all_languages):
        await life.around.answered(await said_by(life, 8800, "Mi lámpara no se conecta a la red, AAA"))
        await taught_on_telegram(life, "AAA")
        ts = await life.around.asks("I was charged twice for my order, BBB")
        await life.around.replied(ts)
        await taught_on_slack(life, "BBB")
        await life.changes("UPDATE examples SET side = 'train' WHERE conversation_id IS NOT NULL")
        await carded(life, "routing-2")

        await forgets_on_telegram(life, 8800)
        told = life.around.answers(8800)[-1]
        assert told == f"{telegram_sentence('es', 'telegram_forgotten')} {takes_longer}"
        await reads_everywhere(life, "routing-2", sentence("en", "shadow_card_forgotten"))

        await life.changes("DELETE FROM cycles WHERE phase = 'requested'")
        await life.registry.request_cycle("routing", "schedule", "next", datetime.now(UTC))
        async with life.registry.claim_cycle(datetime.now(UTC)) as cycle:
            assert cycle is not None
            await life.registry.update_cycle(cycle, Phase.TRAINING, 0.3, "routing-3")
            await life.leads_read("routing-3 is being trained, 30 %")
            await slack.clicks.command("U0ANN", HELP, "forget me")
            shown = await until(lambda: [p for p in slack.ephemerals(HELP, "U0ANN") if "forget_me" in str(p.blocks)])
            await slack.presses("U0ANN", HELP, shown[-1].ts, "forget_me")
            await until(lambda: "Erased: requests 1, examples 1." in slack.ephemerals(HELP, "U0ANN")[-1].text)
            with pytest.raises(Refused) as forgotten:
                await life.registry.update_cycle(cycle, Phase.TRAINING, 0.4, "routing-3")
            await life.registry.fail_cycle(cycle, str(forgotten.value), datetime.now(UTC))
        await life.leads_read("routing-3 was not made: somebody was forgotten while it trained; the next cycle trains")


async def said_by(life: Company, person: int, words: str) -> int:
    await life.around.telegram.writes(person, words)
    return person


async def taught_on_telegram(life: Company, words: str) -> None:
    """A lead moves the request, which teaches."""
    [team] = await until(lambda: life.around.telegram_rooms(words))
    card, right = await life.around.telegram_card(team, words), "delivery" if team != "delivery" else "billing"
    emoji = {"delivery": "🎅", "billing": "🤝"}[right]
    await life.around.telegram.reacts(TELEGRAM_LEAD, GROUPS[team], card.message_id, [emoji])
    await life.around.telegram_card(right, words)


async def taught_on_slack(life: Company, words: str) -> None:
    [team] = await until(lambda: life.around.slack_rooms(words))
    card, right = await life.around.slack_card(team, words), "delivery" if team != "delivery" else "billing"
    await life.around.slack.reacts(
        SLACK_LEAD, CHANNELS[team], card.ts, {"delivery": "package", "billing": "moneybag"}[right]
    )
    await life.around.slack_card(right, words)


async def forgets_on_telegram(life: Company, person: int) -> None:
    """They ask for it, say yes, and are told that it is done."""
    telegram = life.around.telegram
    await telegram.writes(person, "/forget")
    yes = rf"/forget {person} yes"
    await until(lambda: yes in json.dumps(telegram.posts(person)[-1].buttons))
    question = telegram.posts(person)[-1]
    await telegram.presses(person, person, question.message_id, yes)
    await until(lambda: not telegram.posts(person)[-1].buttons)
