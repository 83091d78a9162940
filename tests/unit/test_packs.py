"""Packs: complete, in three languages, with unused emoji, and refused if the settings already have the same."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bot.commands.packs import check_free, check_loads, taken
from bot.domain.errors import UsageError
from bot.domain.learning import text_key
from bot.init import of_names, settings_text
from bot.packs import Pack, pack, packs, settings_block
from bot.platforms import platform_modules
from bot.settings import load

SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "SLACK_SIGNING_SECRET": "s",
    "TELEGRAM_BOT_TOKEN": "123456:ABC",
    "TELEGRAM_WEBHOOK_SECRET": "secret",
}
EVERYWHERE = ("slack", "telegram", "web")


def rows(file: Path) -> list[tuple[str, str]]:
    return [(row["text"], row["label"]) for row in map(json.loads, file.read_text("utf-8").splitlines())]


def first_settings(folder: Path, *added: str) -> Path:
    file = folder / "switchboard.toml"
    file.write_text(settings_text(of_names(EVERYWHERE, platform_modules()), http=False) + "".join(added), "utf-8")
    return file


def test_there_are_four() -> None:
    assert [one.name for one in packs()] == ["fraud", "products", "sentiment", "urgency"]
    with pytest.raises(UsageError, match="no such pack: mood; there are fraud, products, sentiment, urgency"):
        pack("mood")


@pytest.mark.parametrize("one", packs(), ids=lambda one: one.name)
def test_each_label_has_enough_examples_and_none_is_held_out_too(one: Pack) -> None:
    taught, asked = rows(one.examples), rows(one.held_out)
    names = {label.name for label in one.labels}
    assert one.fallback in names
    assert set(Counter(label for _, label in taught)) == set(Counter(label for _, label in asked)) == names
    assert min(Counter(label for _, label in taught).values()) >= 60
    keys = [text_key(text) for text, _ in [*taught, *asked]]
    assert len(keys) == len(set(keys)), "no text stands there twice"


@pytest.mark.parametrize("one", packs(), ids=lambda one: one.name)
def test_its_block_loads_beside_what_newcomers_begin_with_and_all_of_them_together(one: Pack, tmp_path: Path) -> None:
    file = first_settings(tmp_path)
    modules = platform_modules()
    text, used = file.read_text("utf-8"), taken(load(file, SECRETS))
    for other in [one, *(each for each in packs() if each != one)]:
        block, missing = settings_block(other, modules, used)
        assert missing == []
        text += block
        task = load(_written(tmp_path, text), SECRETS).task(other.name)
        assert set(task.names) == {label.name for label in other.labels}
        used |= {sign for label in task.labels for sign in label.emoji.items()}


def _written(folder: Path, text: str) -> Path:
    file = folder / "with_packs.toml"
    file.write_text(text, "utf-8")
    return file


def test_an_emoji_that_means_something_is_not_used_again() -> None:
    [mood] = [one for one in packs() if one.name == "sentiment"]
    modules = of_names(["web"], platform_modules())
    block, _ = settings_block(mood, modules, {("web", "😠")})
    assert 'emoji = { web = "😡" }' in block and "😠" not in block
    every = {("web", sign) for label in mood.labels for sign in label.emoji["web"]}
    block, missing = settings_block(mood, modules, every)
    assert missing == ["negative on web", "neutral on web", "positive on web"]
    assert block.count("emoji = {}") == 3


def test_what_an_act_means_is_taken(tmp_path: Path) -> None:
    settings = load(first_settings(tmp_path), SECRETS)
    assert {("web", settings.vocabulary.take["web"]), ("telegram", settings.vocabulary.request["telegram"])} <= taken(
        settings
    )


def test_a_question_or_a_label_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    mine = (
        '[tasks.urgency]\nquestion = "?"\n[tasks.urgency.labels.now]\nmeans = "n"\n'
        '[tasks.urgency.labels.later]\nmeans = "l"\n'
    )
    settings = load(first_settings(tmp_path, mine), SECRETS)
    with pytest.raises(UsageError, match=r"tasks\.urgency is in .* already, nothing was changed"):
        check_free(pack("urgency"), settings)
    renamed = mine.replace("tasks.urgency", "tasks.haste")
    with pytest.raises(UsageError, match=r"tasks\.haste has a label now .* teams rename now NEW --task haste$"):
        check_free(pack("urgency"), load(first_settings(tmp_path, renamed), SECRETS))
    several = mine.replace("[tasks.urgency]", '[tasks.urgency]\nchoose = "any"').replace("now", "soon")
    with pytest.raises(UsageError, match=r"tasks\.urgency is in .* already, nothing was changed"):
        check_free(pack("urgency"), load(first_settings(tmp_path, several), SECRETS))
    check_free(pack("sentiment"), settings)


def test_what_would_not_load_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    file = first_settings(tmp_path)
    block, _ = settings_block(pack("fraud"), platform_modules(), set())
    read = check_loads(file, file.read_text("utf-8") + block)
    assert [task.name for task in read.questions] == ["fraud"]
    assert read.database.directory == tmp_path / "var/postgres", "as seen from the settings"
