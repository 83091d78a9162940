"""The people whom a text cites or mentions, and the text without them."""

from dataclasses import replace

from bot.domain.citations import (
    cited_words,
    keys,
    named_in,
    with_citation,
    without_files,
    without_person,
)
from bot.domain.messages import Media, MediaKind
from bot.domain.rich_text import Mark, Run, Style, cited, marked, plain, runs, written

ORDER = "I was charged twice for order 4711"
PHOTO = Media("telegram", "1:2:f", MediaKind.PHOTO, "bill.jpg")


def test_a_citation_keeps_whose_words_they_are() -> None:
    text = f"{cited(ORDER, 'Ann Li', '111')}\ncan you help her?"
    assert runs(text)[0] == Run(ORDER, (Mark(Style.CITED, "Ann Li", "111"),))
    assert written(runs(text)) == text
    assert runs(cited(ORDER, "Ann Li"))[0].marks == (Mark(Style.CITED, "Ann Li"),)


def test_whom_it_cites_mentions_and_whose_files_it_carries() -> None:
    text = f"{cited('hello', 'Ann', '111')}\n{cited('bye', 'Hidden H.')}\n{marked('@Ben', Style.MENTION, '222')} ?"
    assert named_in(text, [replace(PHOTO, by="333"), PHOTO]) == ("111", "222", "333", "~Hidden H.")
    assert named_in("just words") == ()
    assert keys("111", ["Ann", ""]) == ["111", "~Ann"]


def test_their_words_and_names_go_and_the_rest_stays() -> None:
    theirs = cited(f"{marked('twice', Style.BOLD)} for order 4711", "Ann Li", "111")
    her, help_ = marked("@Ann Li", Style.MENTION, "111"), marked("help", Style.BOLD)
    text = f"{theirs}\n{cited('me, too', 'Ben', '222')}\n{her} needs {help_}"
    left = without_person(text, ["111"])
    assert plain(left) == "…\nme, too\n@… needs help"
    assert named_in(left) == ("222",)
    assert runs(left)[-1].has(Style.BOLD)
    assert cited_words(text, ["111"]) == ["twice for order 4711"]


def test_who_hides_is_known_by_the_name_alone() -> None:
    text = f"{cited(ORDER, 'Ann Li')}\nthis happened to a friend"
    assert plain(without_person(text, keys("111", ["Ann Li"]))) == "…\nthis happened to a friend"
    assert without_person(text, keys("111", ["Ann"])) == text


def test_their_files_go() -> None:
    assert without_files([replace(PHOTO, by="111"), PHOTO], ["111"]) == (PHOTO,)


def test_new_words_still_point_at_what_the_old_ones_did() -> None:
    before = f"{cited('charged twice', 'Ann')}\ncan you help her?"
    assert plain(with_citation(before, "please help her")) == "charged twice\nplease help her"
    assert with_citation("no quote", "please") == "please"


def test_an_edit_does_not_bring_back_what_was_taken_out() -> None:
    before = without_person(f"{cited(ORDER, 'Ann', '111')}\ncan you help her?", ["111"])
    again = f"{cited(ORDER, 'Ann', '111')}\ncan you please help her?"
    assert plain(with_citation(before, again)) == "…\ncan you please help her?"
