"""The weekly digest in sentences, with a picture drawn in characters, which every platform and phone can show."""

from collections.abc import Iterator, Sequence

from bot.domain.drift import Measure
from bot.domain.report_posts import Digest
from bot.domain.tasks import Task
from bot.locales import sentence

_BARS = "▁▂▃▄▅▆▇█"
_CHANGED = {
    Measure.TEAMS.value: "digest_teams",
    Measure.SCOPE.value: "digest_scope",
    Measure.WORDS.value: "digest_words",
}


def digest(content: Digest, language: str, task: Task) -> list[str]:
    """The week's figures first, then what may call for action; one line each."""
    return list(_lines(content, language, task))


def _lines(content: Digest, language: str, task: Task) -> Iterator[str]:
    if not content.decided:
        yield sentence(language, "digest_quiet")
        return
    yield sentence(
        language, "digest_title", decided=content.decided, moved=content.moved, asked=content.asked, task=content.task
    )
    yield sentence(language, "digest_days", picture=sparkline(content.days), most=max(content.days))
    for (decided, belongs), count in zip(content.pairs, content.counts, strict=False):
        teams = {"decided": task.shown(decided), "belongs": task.shown(belongs)}
        yield sentence(language, "digest_pair", count=count, **teams)
    for count in content.groups:
        yield sentence(language, "digest_group", count=count)
    for measure in content.drifted:
        if measure in _CHANGED:  # a newer version may have further measures
            yield sentence(language, _CHANGED[measure])
    if content.waiting:
        yield sentence(language, "digest_waiting", count=content.waiting)


def sparkline(counts: Sequence[int]) -> str:
    """One bar for each count: the highest for the largest count, the lowest for zero."""
    most = max(counts, default=0)
    return "".join(_BARS[round(count * (len(_BARS) - 1) / most) if most else 0] for count in counts)
