"""Who may correct and who may handle: by id, by group, by team; never bots, never people of other companies."""

import logging

import pytest

from bot.domain.errors import Unreachable
from bot.domain.messages import Person, Place
from bot.domain.tasks import Label
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import (
    ANN,
    BILLING,
    BILLING_TEAM,
    IT_TEAM,
    LEAD,
    OTHER_LEAD,
    ROBOT,
    STRANGER,
    TEAM_LEAD,
    person,
    settled,
)
from tests.servers.slack import SlackServer, User

ROOM = Place("slack", BILLING)


async def may_correct(slack: Slack, who: Person, team: Label = IT_TEAM) -> bool:
    return await slack.may_correct(who, team, ROOM)


async def test_leads_by_id_and_by_group_may_correct_and_nobody_else(server: SlackServer, mouth: Slack) -> None:
    server.add_user(User(id=LEAD, name="lead"))
    server.add_user(User(id=OTHER_LEAD, name="lead 2"))
    server.add_usergroup("S0LEADS", [OTHER_LEAD])
    assert await may_correct(mouth, person(LEAD))
    assert await may_correct(mouth, person(OTHER_LEAD))
    assert not await may_correct(mouth, person(STRANGER))
    assert not await may_correct(mouth, Person("telegram", LEAD))
    assert len(server.calls_to("usergroups.users.list")) == 1, "members are remembered for a while"


async def test_a_bot_may_not_correct_even_if_it_is_listed(server: SlackServer, mouth: Slack) -> None:
    assert not await may_correct(mouth, person(ROBOT))


async def test_a_group_that_slack_will_not_show_leaves_the_listed_people(
    server: SlackServer, mouth: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    server.add_user(User(id=LEAD, name="lead"))
    server.fail("usergroups.users.list", error="plan_upgrade_required")
    for _ in range(3):
        assert not await may_correct(mouth, person(OTHER_LEAD))
    assert await may_correct(mouth, person(LEAD))
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1, caplog.text


async def test_whom_slack_does_not_know_may_do_nothing(server: SlackServer, mouth: Slack) -> None:
    assert not await may_correct(mouth, person(LEAD))


async def test_an_outage_turns_no_lead_away(server: SlackServer, mouth: Slack) -> None:
    server.add_user(User(id=OTHER_LEAD, name="lead 2"))
    server.add_usergroup("S0LEADS", [OTHER_LEAD])
    server.fail("usergroups.users.list", retry_after=30)
    with pytest.raises(Unreachable):
        await may_correct(mouth, person(OTHER_LEAD))
    assert await may_correct(mouth, person(OTHER_LEAD))


async def test_a_team_may_have_leads_of_its_own(server: SlackServer, mouth: Slack) -> None:
    server.space.user(TEAM_LEAD)
    assert await may_correct(mouth, person(TEAM_LEAD), BILLING_TEAM)
    assert not await may_correct(mouth, person(TEAM_LEAD), IT_TEAM)


async def test_nobody_of_another_company_corrects_or_handles_even_if_listed(server: SlackServer, mouth: Slack) -> None:
    server.add_user(User(id=LEAD, name="lead", team_id="T0OTHER"))
    assert not await may_correct(mouth, person(LEAD))
    assert not await mouth.may_handle(person(STRANGER), ROOM)
    assert not await mouth.may_handle(Person("slack", ANN, external=True), ROOM)


async def test_a_lead_whose_account_is_closed_is_none(server: SlackServer, mouth: Slack) -> None:
    server.add_user(User(id=LEAD, name="lead", deleted=True))
    assert not await may_correct(mouth, person(LEAD))


async def test_anybody_of_ours_may_handle_and_no_bot(server: SlackServer, mouth: Slack) -> None:
    assert await mouth.may_handle(person(ANN), ROOM)
    assert not await mouth.may_handle(person(ROBOT), ROOM)
    assert not await mouth.may_handle(Person("telegram", ANN), ROOM)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "subteam_updated", "subteam": {"id": "S0LEADS"}},
        {"type": "subteam_members_changed", "subteam_id": "S0LEADS"},
    ],
)
async def test_a_changed_group_counts_at_once(server: SlackServer, socket: Slack, event: dict[str, object]) -> None:
    server.space.user(OTHER_LEAD)
    assert not await may_correct(socket, person(OTHER_LEAD))
    server.add_usergroup("S0LEADS", [OTHER_LEAD])
    assert not await may_correct(socket, person(OTHER_LEAD)), "remembered for a while"
    server.emits(event)
    await server.until(settled(server))
    assert await may_correct(socket, person(OTHER_LEAD))


async def test_a_free_plan_is_told_once_which_setting_to_mend(
    server: SlackServer, mouth: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    server.fail("usergroups.users.list", error="plan_upgrade_required")
    assert not await may_correct(mouth, person(OTHER_LEAD))
    about = [str(record.__dict__.get("about", "")) for record in caplog.records]
    assert any("platforms.slack.leads: the group S0LEADS; list the people's own IDs" in text for text in about)
