"""The Home tab's blocks: everybody's own open requests; for leads, doubtful requests as well. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.queries import Request, Week
from bot.domain.tasks import Task
from bot.platforms.slack.blocks import Block, actions, button, context, escaped, menu, section
from bot.platforms.slack.command_answers import Links, answered, line, open_requests
from bot.platforms.slack.interactions import HOME_ROUTE, ExtraButton, addressed
from bot.platforms.slack.locales import sentence

_MOST = 100
"""The most blocks that Slack shows in a Home tab."""
_REQUESTS, _DOUBTS = 20, 30


@dataclass(frozen=True, slots=True)
class ForLeads:
    """What only leads see."""

    doubtful: Sequence[Request]
    week: Week
    serving: str
    runs: bool
    """Whether they may start learning and roll back, which affects all teams."""


@dataclass(frozen=True, slots=True)
class Desktop:
    """What the Home tab shows."""

    requests: Sequence[Request]
    links: Links
    news: str = ""
    """The result of the last press; empty when nothing was pressed."""
    leads: ForLeads | None = None
    """None when the person is no lead."""


def home(desktop: Desktop, task: Task, language: str) -> Block:
    """The view, in the form that views.publish takes."""
    blocks = [context([f"*{escaped(desktop.news, 500)}*"])] if desktop.news else []
    blocks.append(section(escaped(sentence(language, "slack_home_how"))))
    blocks += open_requests(language, task, desktop.requests[:_REQUESTS], desktop.links)
    if desktop.leads is not None:
        blocks += [{"type": "divider"}, *_for_leads(desktop.leads, desktop.links, task, language)]
    return {"type": "home", "blocks": blocks[:_MOST]}


def _for_leads(leads: ForLeads, links: Links, task: Task, language: str) -> list[Block]:
    week = leads.week
    right = f"{(week.decided - week.corrected) / week.decided:.0%}" if week.decided else "-"
    figures = [
        sentence(language, "slack_home_week", decided=week.decided, right=right, asked=week.asked),
        sentence(language, "slack_home_serving", adapter=leads.serving),
    ]
    blocks = [section(f"*{escaped(sentence(language, 'slack_home_doubt'))}*")]
    blocks += [_doubt(request, links, task, language) for request in leads.doubtful[:_DOUBTS]]
    if not leads.doubtful:
        blocks.append(section(escaped(sentence(language, "slack_home_no_doubt"))))
    return [context([escaped(figure, 500) for figure in figures]), *(_buttons(language) if leads.runs else []), *blocks]


def _buttons(language: str) -> list[Block]:
    learn = button(ExtraButton.LEARN, sentence(language, "slack_home_learn"), value="learn")
    back = button(ExtraButton.ROLLBACK, sentence(language, "slack_home_rollback"), value="rollback", style="danger")
    return actions([learn, back])


def _doubt(request: Request, links: Links, task: Task, language: str) -> Block:
    choices = [(label.name, label.shown) for label in task.labels if label.deliver_to]
    pick = menu(HOME_ROUTE, sentence(language, "slack_home_pick"), choices)
    besides = answered(language, request)
    told = "\n".join([line(language, task, request, links), *([besides] if besides else [])])
    return section(told, pick) | {"block_id": addressed(request.source)}
