"""The page written about a run: the whole system beside its peers, aims and misses, machine, commits and seeds."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.bench import product
from benchmarks.bench.aims import QUOTED, aims_of
from benchmarks.bench.figures import Figures, Paired
from benchmarks.bench.peers import TITLES
from benchmarks.bench.told import Arm, Told

_HEAD = """# Benchmarks

Written by `make bench DATA=FOLDER ARGS=--write`; do not edit. Every line measures the whole product by its own
commands, import → train → evaluate, with the real database and the real model server, the starter and no GPU. The
other systems learned from the same rows in the same run. Nothing in a run is tuned on the texts that are asked; some
constants of the product were chosen earlier on two of these sets ([figures](figures.md#the-encoders-november-2026)).
Accuracy is that of the first guess, whether or not the person would be asked. ECE has 15 bins; *coverage* is the
largest share of texts, the surest first, of which 95 % are decided correctly. *+a −b* counts the texts that only the
product got right (a), and those that only the other system got right (b); p is that of the exact two-sided McNemar
test."""


def page(sets: Sequence[Told]) -> str:
    """The whole page as Markdown."""
    measured = [one for one in sets if one.arms]
    parts = [_HEAD, *_where(measured), "## In short", _table(_SHORT, [_short(one) for one in measured])]
    parts += ["## Aims", _table(_AIM, [line for one in measured for line in _aims(one)])]
    missing = [(one.trial.name, one.problem) for one in sets if one.problem]
    if missing:
        parts += ["## Not measured", _table(("set", "why"), missing)]
    parts += [text for one in measured for text in _details(one)]
    quoted = [(q.set, q.system, q.accuracy, q.source) for q in QUOTED]
    parts += ["## What others published", "Figures quoted from publications; none of them was measured here."]
    return "\n\n".join([*parts, _table(("set", "system", "accuracy %", "source"), quoted)]) + "\n"


_SHORT = (
    "set",
    "labels",
    "learned",
    "asked",
    "product %",
    "without the adapter %",
    "best peer",
    "difference",
    "seconds",
)
_AIM = ("set", "figure", "aim", "found", "missed by")
_ARM = ("system", "accuracy %", "macro-F1 %", "ECE", "coverage %", "ms p50 / p95", "product compared with it")


def _where(sets: Sequence[Told]) -> Iterator[str]:
    """The machines, commits and seeds of all results."""
    results = [result for one in sets for result in one.results.values()]
    keys = [result["key"] for result in results if isinstance(result["key"], dict)]
    for what, values in (
        ("Commit", [key["commit"] for key in keys]),
        ("Seed", [key["seed"] for key in keys]),
        ("Machine", [_machine(result["machine"]) for result in results]),
        ("Measured", sorted(str(_of(result["machine"], "measured"))[:10] for result in results)),
    ):
        yield f"{what}: {'; '.join(dict.fromkeys(map(str, values)))}."


def _machine(on: object) -> str:
    packages = _of(on, "packages")
    versions = ", ".join(f"{n} {v}" for n, v in packages.items()) if isinstance(packages, dict) else ""
    return f"{_of(on, 'cpu')}, {_of(on, 'cores')} cores, Python {_of(on, 'python')}, {versions}"


def _short(one: Told) -> Sequence[str]:
    trial, whole, peer = one.trial, one.whole, one.best_peer
    without = next((arm for arm in one.arms if arm.name == product.WITHOUT), None)
    seconds = _of(one.results.get(product.WHOLE, {}), "seconds")
    return (
        trial.name,
        str(len({row.label for row in trial.learned})),
        str(len(trial.learned)),
        str(len(trial.asked)),
        _share(whole.whole.accuracy if whole else None),
        _share(without.whole.accuracy if without else None),
        f"{_share(peer.whole.accuracy)} ({TITLES[peer.name]})" if peer else "–",
        _pair(peer.paired if peer else None),
        " · ".join(f"{what} {took:.0f}" for what, took in seconds.items()) if isinstance(seconds, dict) else "–",
    )


def _aims(one: Told) -> Iterator[Sequence[str]]:
    for aim in aims_of(one.trial.name):
        found = one.found(aim)
        if found is None:
            continue
        missed = aim.missed_by(found)
        by = "met" if missed <= 0 else aim.in_words(missed).replace("%", " points")
        figure = f"{aim.figure} {aim.part}".strip()
        yield one.trial.name, figure, f"{aim.sign} {aim.in_words(aim.wanted)}", aim.in_words(found), by


def _details(one: Told) -> Iterator[str]:
    yield f"## {one.trial.name}"
    yield " ".join(_sentences(one))
    yield _table(_ARM, [_arm(arm) for arm in one.arms])
    if parts := [part for part in one.trial.parts if len(one.trial.parts) > 1]:
        counts = one.arms[0].by_part
        head = ("accuracy %", *(f"{part} ({counts[part].n})" for part in parts))
        rows = [(_title(arm), *(_share(arm.by_part[part].accuracy) for part in parts)) for arm in one.arms]
        yield _table(head, rows)
    if strangers := [arm for arm in one.arms if arm.out_of_scope]:
        rows = [(_title(arm), *(_share(value) for value in arm.out_of_scope or ())) for arm in strangers]
        yield _table(("out of scope", "AUROC %", "accepted where 95 % of the others are, %"), rows)


def _sentences(one: Told) -> Iterator[str]:
    trial = one.trial
    taught = len(trial.taught_to_peers)
    yield f"Examples: {len(trial.learned)} to learn from, {len(trial.judged)} for the gate, {len(trial.asked)} asked"
    yield f"(data {trial.digest}); the peers learned from {taught}."
    trained = _of(one.results.get(product.WHOLE, {}), "trained")
    if isinstance(trained, dict) and trained:
        reasons = "; ".join(map(str, trained.get("reasons", ())))
        serves = "serves" if trained.get("promoted") else "does not serve (promoted by name, to be measured)"
        yield f"The gate: {serves}, {reasons}."
    if one.asking is not None:
        strangers = one.asking.strangers
        beside = "" if strangers is None else f", and in {_share(strangers)} % of those that belong to no label,"
        yield f"In {_share(one.asking.known)} % of the texts{beside} the person is asked or the fallback team decides;"
        yield f"of the others {_share(one.asking.right)} % are right."
    if trial.shipped:
        yield "The adapter is the one that is included with the starter; the examples were imported."


def _arm(arm: Arm) -> Sequence[str]:
    of = arm.whole
    times = "–" if arm.p50 is None or arm.p95 is None else f"{arm.p50:.1f} / {arm.p95:.1f}"
    scores = (_share(of.accuracy), _share(of.macro_f1), _small(of), _share(of.coverage))
    return _title(arm), *scores, times, _pair(arm.paired)


def _title(arm: Arm) -> str:
    if arm.name == product.WHOLE:
        return "**the product**"
    if arm.name == product.WITHOUT:
        return arm.name
    return TITLES.get(arm.name, f"the voice “{arm.name}” alone")


def _small(of: Figures) -> str:
    return "–" if of.ece is None else f"{of.ece:.3f}"


def _pair(paired: Paired | None) -> str:
    return "–" if paired is None else f"+{paired.gained} −{paired.lost}, p {_chance(paired.p)}"


def _chance(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _of(record: object, name: str) -> object:
    return record.get(name) if isinstance(record, Mapping) else None


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "¦") for cell in line) + " |" for line in lines)
