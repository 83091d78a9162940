"""One card tells leads about the candidate in the shadow; they decide with its buttons, and others are refused."""

from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import select, text

from bot.domain.learning import Outcome
from bot.domain.messages import MessageRef, Person, Place, Press
from bot.domain.posts import Content, Notice, What
from bot.domain.report_posts import ShadowCard, ShadowExplanation
from bot.flow.shadow_cards import ShadowButtons, ShadowCardKeeper
from db.engine import Database
from db.erasure import PostgresErasure
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.shadow import PostgresShadows
from db.shadow_cards import PostgresShadowCards
from db.tables import PostRow, PressRow, ShadowRulingRow
from tests.fakes import FakePlatform
from tests.integration.db.scenes import note
from tests.integration.db.test_automatic_rollback import DAY, LATER, Desk
from tests.integration.db.test_shadow import refused
from tests.samples import TASK as SAMPLE

LEAD, OTHER_LEAD, STRANGER = Person("slack", "lead", "Lee"), Person("slack", "lead2", "Mo"), Person("slack", "x", "Sam")
ROOMS = (Place("slack", "C-TRIAGE"), Place("telegram", "-100"))
TRIAGE = replace(SAMPLE.label("triage"), deliver_to={room.platform: room for room in ROOMS})
TASK = replace(SAMPLE, labels=(*SAMPLE.labels[:-1], TRIAGE))


@dataclass
class Leads:
    """A champion, a refused candidate in the shadow, and the rooms of the leads."""

    desk: Desk
    outbox: PostgresOutbox
    ledger: PostgresLedger
    cards: PostgresShadowCards
    keeper: ShadowCardKeeper
    buttons: ShadowButtons
    platforms: dict[str, FakePlatform]
    receipts: dict[str, MessageRef] = field(default_factory=dict)
    pressed: int = 0

    async def heard(self, differently: int, alike: int = 0) -> list[int]:
        """The candidate was asked about so many more requests; returns those that it would have routed differently."""
        ids = await self.desk.decided("routing-1", differently + alike, 20)
        shadow = await self.keeper.shadows.shadow("routing", "starter")
        assert shadow is not None
        labels = dict.fromkeys(ids[:differently], "access") | dict.fromkeys(ids[differently:], "billing")
        await self.keeper.shadows.heard(shadow, labels, LATER)
        return ids[:differently]

    async def look(self) -> list[Content]:
        """The keeper looks, and posts are sent; returns new posts and rewordings."""
        await self.keeper.step()
        return await self.deliver()

    async def deliver(self) -> list[Content]:
        told: list[Content] = []
        while items := await self.outbox.claim_due(["slack", "telegram", "web"], LATER, 50):
            for item in items:
                place = item.post.place
                ref = item.edits or MessageRef(place.platform, place.chat, f"said-{item.id}")
                await self.outbox.said(item, ref, LATER)
                if place.platform == "slack" and isinstance(item.post.content, ShadowCard):
                    self.receipts["card"] = ref
                told.append(item.post.content)
        return told

    async def press(self, value: str, by: Person = LEAD) -> list[Content]:
        """The button is pressed on Slack and processed; returns the answer."""
        self.pressed += 1
        moment = LATER.replace(second=self.pressed)
        assert await self.ledger.add_press(Press(self.receipts["card"], by, value, moment))
        assert await self.ledger.claim_presses(LATER, 10) == [], "it belongs to no conversation"
        assert await self.buttons.step() == 1
        return await self.deliver()

    async def rulings(self) -> list[tuple[str, str, str]]:
        async with self.desk.database.transaction() as session:
            rows = await session.scalars(select(ShadowRulingRow).order_by(ShadowRulingRow.id))
            return [(row.ruling, row.wanted, row.actor) for row in rows]


@pytest.fixture
async def leads(database: Database) -> Leads:
    outbox, desk = PostgresOutbox(database), Desk(database)
    await desk.promoted(1)
    await refused(desk, 2)
    cards, shadows = PostgresShadowCards(database, "starter"), PostgresShadows(database, desk.registry)
    platforms = {name: FakePlatform(name, leads=("lead", "lead2")) for name in ("slack", "telegram", "web")}
    keeper = ShadowCardKeeper([TASK], "starter", shadows, cards, desk.registry, lambda: LATER)
    buttons = ShadowButtons({"routing": TASK}, cards, desk.registry, platforms, lambda: LATER)
    return Leads(desk, outbox, PostgresLedger(database, "tiny"), cards, keeper, buttons, platforms)


def the_same(content: object) -> list[object]:
    return [content for _ in ROOMS]


async def test_a_card_comes_with_the_fifth_difference_and_is_kept_up_to_date(leads: Leads) -> None:
    await leads.heard(4, alike=50)
    assert await leads.look() == []
    last = await leads.heard(1)
    assert await leads.look() == the_same(ShadowCard("routing", "routing-2", 55, 5, 0))
    assert await leads.look() == [], "nothing new, nothing said"
    await leads.heard(0, alike=7)
    assert await leads.look() == [], "that it agrees once more is no news"
    await leads.desk.corrected(last)
    assert await leads.look() == the_same(ShadowCard("routing", "routing-2", 62, 5, 1))
    async with leads.desk.database.transaction() as session:
        posts = (await session.execute(select(1).select_from(ShadowRulingRow))).all()
    assert posts == []


async def test_a_lead_promotes_it_once_and_every_card_says_by_whom(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    said = ShadowCard("routing", "routing-2", 6, 6, 0, "promoted", "Lee")
    assert await leads.press("promote") == the_same(said)
    champion = await leads.desk.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.name == "routing-2"
    assert await leads.press("promote") == []
    assert await leads.press("keep", OTHER_LEAD) == []
    assert await leads.look() == []
    newest, *older = await leads.desk.registry.history("routing", 10)
    assert (newest.adapter, newest.what, newest.by) == ("routing-2", Outcome.SERVES, "slack:lead")
    assert newest.why == (
        "chosen from the shadow, where it would have routed 6 of 6 differently; leads agreed with it on 0"
    )
    assert [event.what for event in older] == [Outcome.REFUSED, Outcome.SERVES]
    assert await leads.desk.registry.serving("routing", "starter", LATER) is None, "chosen by hand: it stays"
    assert await leads.rulings() == [
        ("promote", "promote", "slack:lead"),
        ("nothing", "promote", "slack:lead"),
        ("nothing", "keep", "slack:lead2"),
    ]


async def test_a_lead_keeps_what_serves_and_the_candidate_hears_nothing_more(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    assert await leads.press("keep") == the_same(ShadowCard("routing", "routing-2", 6, 6, 0, "kept", "Lee"))
    assert await leads.keeper.shadows.shadow("routing", "starter") is None
    assert await leads.press("promote") == []
    champion = await leads.desk.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.name == "routing-1"
    await refused(leads.desk, 3)
    following = await leads.keeper.shadows.shadow("routing", "starter")
    assert following is not None
    assert following.name == "routing-3", "the next one is heard again"


async def test_a_stranger_is_told_kindly_and_written_down_and_nothing_happens(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    for value in ("promote", "keep", "explain"):
        assert await leads.press(value, STRANGER) == [Notice(What.NO_MODEL_LEAD)]
    champion = await leads.desk.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.name == "routing-1"
    assert [(ruling, actor) for ruling, _, actor in await leads.rulings()] == [("refused", "slack:x")] * 3
    asked = leads.platforms["slack"].asked
    assert asked
    assert await leads.press("promote") == the_same(ShadowCard("routing", "routing-2", 6, 6, 0, "promoted", "Lee"))


async def test_it_is_explained_once_under_the_card_with_the_reasons_of_the_gate(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    assert await leads.press("explain") == [ShadowExplanation("routing-2", 31, 0.0, 0.0, ("not proven",))]
    assert await leads.press("explain", OTHER_LEAD) == []
    assert await leads.press("keep") != [], "explaining decides nothing"


async def test_a_button_of_a_candidate_that_was_superseded_says_so(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    await refused(leads.desk, 3)
    gone = ShadowCard("routing", "routing-2", 6, 6, 0, "superseded")
    assert await leads.press("promote") == the_same(gone)
    assert await leads.look() == []
    champion = await leads.desk.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.name == "routing-1"


async def test_a_card_closes_by_itself_when_another_way_was_taken(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    await leads.desk.registry.promote("routing", "routing-2", "command", "by hand", LATER, base="starter")
    assert await leads.look() == the_same(ShadowCard("routing", "routing-2", 6, 6, 0, "promoted"))
    assert await leads.look() == []


@pytest.mark.parametrize("looks_first", [True, False])
async def test_a_candidate_that_learned_from_somebody_forgotten_is_over_and_the_card_says_why(
    leads: Leads, looks_first: bool
) -> None:
    await leads.heard(6)
    await leads.look()
    last_day = text("UPDATE adapters SET retires_at = :day WHERE name = 'routing-2'")
    async with leads.desk.database.transaction() as session:
        await session.execute(last_day, {"day": LATER + 30 * DAY})
    over = the_same(ShadowCard("routing", "routing-2", 6, 6, 0, "forgotten"))
    assert (await leads.look() if looks_first else await leads.press("promote")) == over
    assert await leads.press("promote") == []
    assert await leads.look() == []
    champion = await leads.desk.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.name == "routing-1"


async def test_a_button_of_a_candidate_for_another_base_model_promotes_nothing(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    other = PostgresShadowCards(leads.desk.database, "another base")
    leads.buttons = replace(leads.buttons, cards=other)
    assert await leads.press("promote") == the_same(ShadowCard("routing", "routing-2", 6, 6, 0, "superseded"))
    assert await leads.rulings() == [("nothing", "promote", "slack:lead")]


async def test_a_lead_who_is_forgotten_stands_on_no_card_and_what_was_decided_does(leads: Leads) -> None:
    """Leads wrote nothing and took nothing, so erasure does not know their name."""
    await leads.heard(6)
    await leads.look()
    await leads.press("promote")
    database, nameless = leads.desk.database, Person("slack", "lead")
    await PostgresErasure(database).erase(Person("slack", "lead2"), LATER)
    assert await leads.deliver() == [], "another lead's forgetting is not theirs"
    await PostgresErasure(database).erase(nameless, LATER)
    assert await leads.deliver() == the_same(ShadowCard("routing", "routing-2", 6, 6, 0, "promoted"))
    async with database.transaction() as session:
        stored = " ".join(map(str, await session.scalars(select(PostRow.content))))
        pressed = set(await session.scalars(select(PressRow.actor_name)))
    assert ("Lee" in stored, pressed) == (False, {""})
    await PostgresErasure(database).erase(nameless, LATER)
    assert await leads.deliver() == [], "forgotten twice, nothing is said twice"
    assert await leads.rulings() == [("promote", "promote", "slack:lead")]


async def test_two_leads_press_at_once_and_one_decides(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    for number, (value, who) in enumerate([("keep", LEAD), ("promote", OTHER_LEAD)]):
        press = Press(leads.receipts["card"], who, value, LATER.replace(second=number + 1))
        assert await leads.ledger.add_press(press)
    assert await leads.buttons.step() == 2
    assert await leads.buttons.step() in (0, 1), "who was too late is looked at anew"
    decided = [ruling for ruling, _, _ in await leads.rulings() if ruling != "nothing"]
    assert len(decided) == 1
    assert len(await leads.rulings()) == 2


async def test_two_leads_who_ask_at_once_read_one_explanation(leads: Leads) -> None:
    """Both presses were judged by what was before either."""
    await leads.heard(6)
    await leads.look()
    for number, who in enumerate([LEAD, OTHER_LEAD]):
        press = Press(leads.receipts["card"], who, "explain", LATER.replace(second=number + 1))
        assert await leads.ledger.add_press(press)
    for pressed in await leads.cards.claim_presses(LATER, 10):
        await leads.buttons.handle(pressed)
    assert await leads.deliver() == [ShadowExplanation("routing-2", 31, 0.0, 0.0, ("not proven",))]
    assert len(await leads.rulings()) == 2


async def test_who_decided_stays_on_the_card_though_another_press_was_judged_by_what_was_before(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    for number, (value, who) in enumerate([("promote", LEAD), ("keep", OTHER_LEAD)]):
        press = Press(leads.receipts["card"], who, value, LATER.replace(second=number + 1))
        assert await leads.ledger.add_press(press)
    first, second = await leads.cards.claim_presses(LATER, 10)
    await leads.buttons.handle(first)
    # Its card was read a moment before the other ruling, and the shadow a moment after
    await leads.buttons.handle(replace(second, in_shadow=False))
    assert await leads.deliver() == the_same(ShadowCard("routing", "routing-2", 6, 6, 0, "promoted", "Lee"))
    assert await leads.rulings() == [("promote", "promote", "slack:lead"), ("nothing", "keep", "slack:lead2")]


async def test_a_platform_can_say_at_once_who_may_press(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    button = await leads.ledger.button(leads.receipts["card"])
    assert button is not None
    assert (button.for_leads, button.of_all_teams, button.settled) == (True, True, False)
    await leads.press("keep")
    over = await leads.ledger.button(leads.receipts["card"])
    assert over is not None
    assert over.settled


async def test_words_under_such_a_card_are_no_request(leads: Leads) -> None:
    await leads.heard(6)
    await leads.look()
    card = leads.receipts["card"]
    assert not await leads.ledger.add_note(note("n1", card)), "there is no card of a person's to note it under"
    assert await leads.ledger.is_of_a_team(card, ours=True)
