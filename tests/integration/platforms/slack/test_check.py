"""`switchboard check` finds what does not work in Slack and says what to do about it."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.messages import Place
from bot.platforms import Finding
from bot.platforms.slack import PLATFORM, Config, Mode, live_check
from bot.platforms.slack.manifest import SCOPES
from tests.integration.platforms.slack.parts import (
    ANN,
    BILLING,
    HELP,
    IT,
    LEAD,
    ROBOT,
    STRANGER,
    TEAM_LEAD,
    Recorder,
    around,
    config,
    listening,
    speaking,
)
from tests.servers.slack import Channel, SlackServer, User


async def findings(settings: Config, live: bool = False) -> dict[str, Finding]:
    looking = PLATFORM.live_check(settings, around()) if live else PLATFORM.check(settings, around())
    return {finding.what: finding async for finding in looking}


async def problems(settings: Config, live: bool = False) -> dict[str, str]:
    found = (await findings(settings, live)).values()
    assert all(bool(finding.remedy) != finding.ok for finding in found)
    return {finding.what: finding.remedy for finding in found if not finding.ok}


@pytest.fixture
def company(server: SlackServer) -> SlackServer:
    """A Slack in which everything works."""
    for user in (LEAD, TEAM_LEAD):
        server.add_user(User(id=user, name="lead"))
    server.add_usergroup("S0LEADS", [LEAD])
    server.scopes = frozenset(SCOPES)
    return server


def of(server: SlackServer, mode: Mode = Mode.SOCKET, **changes: str) -> Config:
    settings = config(server, mode, **changes)
    return replace(settings, leads=settings.leads - {ROBOT})


async def test_where_all_is_well_nothing_is_found_wanting(company: SlackServer) -> None:
    found = await findings(of(company))
    assert all(finding.ok for finding in found.values())
    assert list(found) == [
        "SLACK_BOT_TOKEN, workspace Test",
        "this machine's clock agrees with Slack's",
        "the app's scopes",
        "SLACK_APP_TOKEN",
        f"channel {BILLING} (tasks.routing.labels.billing.deliver_to.slack)",
        f"channel {IT} (tasks.routing.labels.it.deliver_to.slack)",
        f"channel {HELP} (platforms.slack.intake)",
        "emoji",
        "lead S0LEADS (platforms.slack.leads)",
        f"lead {LEAD} (platforms.slack.leads)",
        f"lead {TEAM_LEAD} (tasks.routing.labels.billing.leads.slack)",
    ]
    assert company.posts(BILLING) == []


async def test_a_wrong_token_is_all_there_is_to_say(company: SlackServer) -> None:
    found = await problems(of(company, SLACK_BOT_TOKEN="xoxb-wrong"))
    assert list(found) == ["SLACK_BOT_TOKEN"]
    assert "copy the Bot User OAuth Token" in found["SLACK_BOT_TOKEN"]


async def test_a_wrong_app_token_is_named(company: SlackServer) -> None:
    assert "connections:write" in (await problems(of(company, SLACK_APP_TOKEN="xapp-wrong")))["SLACK_APP_TOKEN"]


async def test_missing_scopes_are_named(company: SlackServer) -> None:
    company.scopes = frozenset(SCOPES) - {"reactions:read", "emoji:read"}
    assert "add emoji:read, reactions:read" in (await problems(of(company)))["the app's scopes"]


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        ({"has_bot": False}, "/invite the bot to #billing"),
        ({"is_archived": True}, "archived"),
        ({"is_shared": True}, "shared with another company"),
        (None, "channel_not_found"),
    ],
)
async def test_a_teams_channel_that_will_not_do_is_named_with_its_setting(
    company: SlackServer, state: dict[str, bool] | None, remedy: str
) -> None:
    if state is None:
        del company.space.channels[BILLING]
    else:
        company.add_channel(replace(Channel(id=BILLING, name="billing"), **state))  # type: ignore[arg-type]
    [(what, told)] = (await problems(of(company))).items()
    assert "tasks.routing.labels.billing.deliver_to.slack" in what
    assert remedy in told


async def test_an_intake_channel_may_be_shared_but_must_have_us_in_it(company: SlackServer) -> None:
    company.add_channel(Channel(id=HELP, name="help", is_shared=True))
    assert await problems(of(company)) == {}
    company.add_channel(Channel(id=HELP, name="help", has_bot=False))
    assert "/invite" in (await problems(of(company)))[f"channel {HELP} (platforms.slack.intake)"]


@pytest.mark.parametrize(
    ("lead", "remedy"),
    [
        ("U0NOBODY", "nobody with this ID"),
        (ROBOT, "it is a bot"),
        (STRANGER, "another company"),
        ("U0GONE", "account is closed"),
        ("S0NONE", "list people's own IDs"),
        ("S0EMPTY", "nobody is in this group"),
    ],
)
async def test_a_lead_who_cannot_be_one_is_named(company: SlackServer, lead: str, remedy: str) -> None:
    company.add_user(User(id="U0GONE", name="gone", deleted=True))
    company.add_usergroup("S0EMPTY", [])
    settings = of(company)
    leads = {"lead_groups": frozenset({lead})} if lead.startswith("S") else {"leads": frozenset({lead})}
    found = await problems(replace(settings, **leads))  # type: ignore[arg-type]
    assert remedy in found[f"lead {lead} (platforms.slack.leads)"]


async def test_two_teams_with_one_emoji_by_an_alias_are_noticed(company: SlackServer) -> None:
    company.space.emoji = {"wrench": "alias:moneybag"}
    assert (await problems(of(company)))["emoji"].startswith("moneybag and wrench are one emoji")


# ── at the start ──


async def test_a_channel_that_will_not_do_is_said_loudly_at_the_start(
    company: SlackServer, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    company.add_channel(Channel(id=BILLING, name="billing", has_bot=False))
    async with speaking(of(company)) as slack, listening(company, slack, inbox):
        await company.until(lambda: [record for record in caplog.records if record.levelname == "ERROR"])
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "tasks.routing.labels.billing.deliver_to.slack" in record.__dict__["about"]
    assert "/invite the bot to #billing" in record.__dict__["remedy"]


# ── live ──


async def test_a_reaction_on_every_test_message_proves_that_corrections_can_arrive(company: SlackServer) -> None:
    async def people() -> None:
        for room in (BILLING, IT):
            [post] = await company.until(lambda: company.posts(room))  # noqa: B023
            assert not post.blocks, "there is nothing to press"
            await company.reacts(ANN, room, post.ts, "eyes")

    reacting = asyncio.create_task(people())
    found = await findings(of(company), live=True)
    await reacting
    assert [*list(found)[:3], *sorted(list(found)[3:])] == [
        "the connection that brings events is open",
        f"a test message is in the channel of billing ({BILLING}); put an emoji on it now",
        f"a test message is in the channel of it ({IT}); put an emoji on it now",
        "a reaction arrives from the channel of billing",
        "a reaction arrives from the channel of it",
    ]
    assert all(finding.ok for finding in found.values())


async def test_in_the_end_no_test_message_asks_for_anything(
    company: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_check, "LIVE_SECONDS", 0.1)
    await findings(of(company), live=True)
    assert [post.text for room in (BILLING, IT) for post in company.posts(room)] == ["The test is over. Thank you!"] * 2


async def test_reactions_that_do_not_arrive_are_missed_together_and_not_one_after_the_other(
    company: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def more(self: live_check.Listener, until: float) -> bool:
        waited.append(until)
        return False

    monkeypatch.setattr(live_check.Listener, "more", more)
    found = await problems(of(company), live=True)
    assert list(found) == [f"a reaction arrives from the channel of {team}" for team in ("billing", "it")]
    assert "reactions:read" in found["a reaction arrives from the channel of billing"]
    assert len(waited) == 1


async def test_a_channel_that_takes_no_test_message_is_named_and_the_others_are_tried(
    company: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_check, "LIVE_SECONDS", 0.1)
    company.add_channel(Channel(id=BILLING, name="billing", has_bot=False))
    [(what, remedy), (missed, _)] = (await problems(of(company), live=True)).items()
    assert (BILLING in what, "not_in_channel" in remedy) == (True, True)
    assert missed == "a reaction arrives from the channel of it"


async def test_over_http_the_trial_says_why_it_cannot_be(company: SlackServer) -> None:
    assert "switchboard run" in (await problems(of(company, Mode.HTTP), live=True))["reactions arrive"]


# ── reachability ──


async def test_a_slack_that_cannot_be_reached_is_no_bad_token(company: SlackServer) -> None:
    [(what, remedy)] = (await problems(of(company, SLACK_API_BASE_URL="http://127.0.0.1:9/api/"))).items()
    assert what == "Slack answers"
    assert "127.0.0.1:9 takes no connection" in remedy
    assert "api_base_url" in remedy and "TOKEN" not in remedy


async def test_a_slack_whose_name_is_not_known_says_so(company: SlackServer) -> None:
    [(what, remedy)] = (await problems(of(company, SLACK_API_BASE_URL="http://slack.invalid/api/"))).items()
    assert (what, "the name slack.invalid is not known here" in remedy) == ("Slack answers", True)


async def test_something_else_than_slack_at_the_address_is_said(company: SlackServer) -> None:
    [(what, remedy)] = (await problems(of(company, SLACK_API_BASE_URL=f"{company.url}/elsewhere/"))).items()
    assert what == "Slack answers"
    assert "404" in remedy or "not Slack's" in remedy


async def test_a_clock_that_is_wrong_is_named_with_how_much(company: SlackServer) -> None:
    company.clock_ahead = timedelta(minutes=10)
    [(what, remedy)] = (await problems(of(company))).items()
    assert what == "this machine's clock agrees with Slack's"
    assert re.search(r"it is (599|60[01]) s behind Slack's", remedy)


async def test_a_channel_that_hears_of_answers_is_looked_at_unless_it_is_a_teams(company: SlackServer) -> None:
    company.add_channel(Channel(id="C0SECURITY", name="security", has_bot=False))
    hearing = {"tasks.fraud.labels.yes.tell.slack": "C0SECURITY", "tasks.fraud.labels.yes.also_to.slack": "C0SECURITY"}
    named = {setting: Place("slack", chat) for setting, chat in hearing.items()}
    context = replace(around(), hearing={**named, "leads": Place("slack", IT), "elsewhere": Place("web", "x")})
    found = [one async for one in PLATFORM.check(of(company), context) if not one.ok]
    [wrong] = found
    assert wrong.what == f"channel C0SECURITY ({', '.join(hearing)})"
    assert "/invite" in wrong.remedy
