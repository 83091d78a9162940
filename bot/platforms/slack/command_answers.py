"""What `/switchboard` answers, in the person's language. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain import asking
from bot.domain.conversations import State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.learning import Adapter
from bot.domain.queries import Account, Erased, Request
from bot.domain.question_posts import present
from bot.domain.tasks import Task
from bot.platforms.question_wording import in_short
from bot.platforms.slack.blocks import Block, Said, actions, button, context, cut, escaped, plain, quote, section
from bot.platforms.slack.interactions import ExtraButton
from bot.platforms.slack.locales import sentence
from bot.platforms.slack.payload import NAME
from bot.platforms.wording import life, remembered, voices_said

Links = Mapping[int, str]
"""Conversation -> the address where it can be read."""
_EXCERPT = 150


def told(language: str, key: str, **words: str | int) -> Said:
    """One of our sentences as a message."""
    return plain(sentence(language, key, **words))


def helped(language: str, *, lead: bool) -> Said:
    """The list of commands."""
    keys = ["slack_help", *(["slack_help_leads"] if lead else [])]
    parts = [escaped(sentence(language, key)) for key in keys]
    return Said(parts[0], [section(part) for part in parts])


def unknown(language: str, word: str, help_: Said) -> Said:
    """That the command is unknown, followed by the help."""
    told_ = escaped(sentence(language, "slack_unknown", word=cut(word, 50)), 400)
    return Said(told_, [section(told_), *help_.blocks])


def status(language: str, task: Task, requests: Sequence[Request], links: Links) -> Said:
    """The person's open requests."""
    blocks = open_requests(language, task, requests, links)
    key = "slack_open" if requests else "slack_none_open"
    return Said(escaped(sentence(language, key)), blocks)


def with_backlog(said: Said, language: str, backlog: Mapping[str, float]) -> Said:
    """The status for a lead, with the backlog."""
    counts = {key: int(backlog.get(key, 0)) for key in ("undecided", "unsaid", "given_up")}
    return Said(said.text, [*said.blocks, context([escaped(sentence(language, "slack_backlog", **counts))])])


def open_requests(language: str, task: Task, requests: Sequence[Request], links: Links) -> list[Block]:
    """One section for each request, or one sentence that there are none."""
    if not requests:
        return [section(escaped(sentence(language, "slack_none_open")))]
    title = section(f"*{escaped(sentence(language, 'slack_open'))}*")
    return [title, *(section(line(language, task, request, links)) for request in requests)]


def line(language: str, task: Task, request: Request, links: Links) -> str:
    """One request: its team, state, time, first words and link."""
    team = sentence(language, "slack_sorting") if request.label is None else task.shown(request.label)
    about = [f"*{escaped(team, 200)}*", escaped(_progress(language, request), 200), _when(request.since)]
    link = links.get(request.conversation)
    if link:
        about.append(f"<{link}|{escaped(sentence(language, 'card_link'))}>")
    words = escaped(cut(" ".join(request.excerpt.split()), _EXCERPT), 600)
    return f"{' · '.join(part for part in about if part)}\n{words}"


def answered(language: str, request: Request) -> str:
    """The answers to the further questions about the request, shown to leads alone; empty when there are none."""
    return escaped(" · ".join(in_short(one, language) for one in present(request.answers)), 500)


def teams(language: str, task: Task) -> Said:
    """The teams, what each is for, and the emoji by which a lead names it."""
    listed = [label for label in task.labels if label.deliver_to]
    lines = []
    for label in listed:
        emoji = f":{label.emoji[NAME]}: " if NAME in label.emoji else ""
        lines.append(f"{emoji}*{escaped(label.shown, 200)}* ({escaped(label.name, 100)}): {escaped(label.means, 500)}")
    title = escaped(sentence(language, "slack_teams"))
    return Said(title, [section(f"*{title}*"), *(section(line) for line in lines[:48])])


def why(language: str, task: Task, account: Account) -> Said:
    """The last ten decisions, oldest first, and the known texts that the memory leaned on."""
    title = escaped(cut(" ".join(account.request.excerpt.split()), _EXCERPT), 600) or "…"
    blocks = quote(account.request.excerpt, _EXCERPT)
    for at, made in account.decisions[-10:]:
        blocks.append(section(f"{_when(at)}  {escaped(_reason(language, task, made), 300)}"))
        blocks += [context([escaped(line, 600)]) for line in voices_said(made.voices, task, language)]
    if told_besides := answered(language, account.request):
        blocks.append(context([told_besides]))
    leaned_on = remembered([cut(text, 120) for text in account.remembered[:5]], account.remembered_from, language)
    if account.correction is not None:
        blocks.append(context([escaped(life(account.correction, language), 300)]))
    if leaned_on:
        blocks.append(context([escaped(text, 300) for text in leaned_on]))
    return Said(title, blocks or [section(title)])


def models(language: str, task: Task, base: str, adapters: Sequence[tuple[Adapter, bool]]) -> Said:
    """The last twenty adapters, oldest first."""
    if not adapters:
        return told(language, "slack_no_models", base=base)
    return plain(
        "\n".join(
            f"• {adapter.name} ({adapter.made:%Y-%m-%d}){f'  ✓ {_serving(language, task, adapter)}' if serves else ''}"
            for adapter, serves in adapters[-20:]
        )
    )


def _serving(language: str, task: Task, adapter: Adapter) -> str:
    """That the adapter serves, with the results of deciding without asking, where these were measured."""
    kept, serves = asking.serving(task, adapter.mixture.proved), sentence(language, "slack_serves")
    if kept is None:
        return serves
    shares = {"right": f"{kept.right:.0%}", "covered": f"{kept.covered:.0%}"}
    return f"{serves}: {sentence(language, 'slack_unasked', below=f'{kept.ask_below:.2f}', **shares)}"


def may_forget(language: str) -> Said:
    """Ask the person to confirm; pressing the button erases."""
    sentence_ = escaped(sentence(language, "slack_forget"))
    erase = button(ExtraButton.FORGET, sentence(language, "slack_forget_button"), value="yes", style="danger")
    return Said(sentence_, [section(sentence_), *actions([erase])])


def forgotten(erased: Erased, language: str) -> Said:
    """What was erased, and until when a model serves that had learned from it."""
    done = sentence(language, "slack_forgotten", conversations=erased.conversations, examples=erased.examples)
    if erased.serve_until is None:
        return plain(done)
    return plain(f"{done} {sentence(language, 'slack_forgotten_model', date=f'{erased.serve_until:%Y-%m-%d}')}")


def asked_by(language: str, who: str, words: str) -> Said:
    """A request made by command, as it stays in the channel."""
    title = escaped(sentence(language, "slack_asks", who=who or sentence(language, "someone")), 300)
    return Said(f"{title} {escaped(cut(words, 500))}", [section(f"*{title}*"), *quote(words, 8_000)])


def taken(language: str, link: str) -> Said:
    """Confirm the request, with a link to where the answer will come."""
    told_ = escaped(sentence(language, "slack_have_it"))
    where = f"<{link}|{escaped(sentence(language, 'slack_here'))}>" if link else ""
    return Said(told_, [section(f"{told_} {where}".strip())])


def _progress(language: str, request: Request) -> str:
    if request.state is State.CLOSED:
        return sentence(language, "card_done")
    if request.taken_by:
        return sentence(language, "card_taken", who=request.taken_by)
    return sentence(language, "slack_waiting") if request.state is State.ROUTED else ""


_UNASKED: Mapping[tuple[Author, Reason], str] = {
    (Author.MEMORY, Reason.MODEL_DOWN): "slack_by_memory_down",
    (Author.MEMORY, Reason.NOT_TRAINED): "slack_by_memory_untrained",
    (Author.MEMORY, Reason.NOT_READ): "slack_by_memory_not_read",
    (Author.EXAMPLES, Reason.NOT_READ): "slack_by_examples_not_read",
    (Author.RULE, Reason.THANKS): "slack_by_thanks",
    (Author.FALLBACK, Reason.MODEL_DOWN): "slack_by_fallback_down",
    (Author.FALLBACK, Reason.NOT_TRAINED): "slack_by_fallback_untrained",
    (Author.FALLBACK, Reason.UNREADABLE): "slack_by_fallback_unreadable",
    (Author.FALLBACK, Reason.OUT_OF_HOURS): "slack_by_fallback_out_of_hours",
    (Author.FALLBACK, Reason.RETIRED): "slack_by_fallback_retired",
    (Author.FALLBACK, Reason.UNSETTLED): "slack_by_fallback_unsettled",
}
"""Sentences for decisions in which no model had a say, giving the reason."""


def _reason(language: str, task: Task, made: Decision) -> str:
    words = {"team": task.shown(made.label)}
    match made.by:
        case Author.MODEL:
            words |= {"confidence": f"{made.confidence:.0%}", "adapter": made.adapter or "-"}
        case Author.MEMORY | Author.EXAMPLES:
            words |= {"confidence": f"{made.confidence:.0%}"}
        case Author.RULE:
            words |= {"rule": made.rule}
    usual = f"slack_by_{made.by}"
    return sentence(language, _UNASKED.get((made.by, made.reason), usual), **words)


def _when(at: datetime) -> str:
    """A time that Slack shows in the reader's own time zone, which we do not know."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"
