"""`switchboard check` finds what does not work in Slack and says what to do about it."""

import asyncio
from dataclasses import replace

import pytest

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
    return {finding.what: finding async for finding in PLATFORM.check(settings, around(), live)}


async def problems(settings: Config, live: bool = False) -> dict[str, str]:
    found = (await findings(settings, live)).values()
    assert all(bool(finding.remedy) != finding.ok for finding in found)
    return {finding.what: finding.remedy for finding in found if not finding.ok}


@pytest.fixture
def company(server: SlackServer) -> SlackServer:
    """A Slack in which all is well."""
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


async def test_a_reaction_on_every_test_card_proves_that_corrections_can_arrive(company: SlackServer) -> None:
    async def people() -> None:
        for room in (BILLING, IT):
            [post] = await company.until(lambda: company.posts(room))  # noqa: B023
            await company.reacts(ANN, room, post.ts, "eyes")

    reacting = asyncio.create_task(people())
    found = await findings(of(company), live=True)
    await reacting
    assert found["a reaction in billing's channel"].ok and found["a reaction in it's channel"].ok


async def test_a_reaction_that_does_not_arrive_is_missed(company: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_check, "WAIT_SECONDS", 0.3)
    company.scopes = frozenset(SCOPES) - {"reactions:read"}
    found = await problems(of(company), live=True)
    assert "reactions:read" in found["a reaction in billing's channel"]


async def test_over_http_the_trial_says_why_it_cannot_be(company: SlackServer) -> None:
    assert "switchboard run" in (await problems(of(company, Mode.HTTP), live=True))["reactions"]
