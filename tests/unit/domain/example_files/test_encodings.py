"""Every encoding that a spreadsheet or a helpdesk writes: read, or refused; never replaced in silence."""

import codecs

import pytest

from bot.domain.errors import UsageError
from bot.domain.example_files.encodings import decoded
from bot.domain.example_files.reading import ReadOptions
from tests.unit.domain.example_files.readers import only, pairs, problems, read

PORTUGUESE = "A fatura de março não chegou, e não sei porquê"
SPANISH = "¿Dónde está mi pedido? Compré una cámara hace un año"
GERMAN = "Die Rechnung für März ist zu hoch, ich möchte das Gerät zurückgeben"
POLISH = "Gdzie jest moja paczka? Zażółć gęślą jaźń"
CZECH = "Kde je můj balík? Příliš žluťoučký kůň"
RUSSIAN = "Где моя посылка? С меня дважды списали деньги"
GREEK = "Πού είναι το δέμα μου;"
JAPANESE = "荷物はどこですか。二重に請求されました"
CHINESE = "我的包裹在哪里。我被收了两次钱"
KOREAN = "제 소포는 어디에 있나요"
TURKISH = "Kargom nerede? Şifremi değiştiremiyorum, çok üzgünüm ığ"
TYPED = "It’s broken – again… and “support” owes me 30 €"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (PORTUGUESE, "cp1252"),
        (PORTUGUESE, "latin-1"),
        (PORTUGUESE, "cp850"),
        (PORTUGUESE, "mac-roman"),
        ("A fatura de março", "cp1252"),
        ("café", "cp1252"),
        ("it’s late", "cp1252"),
        ("I was charged £30 twice", "cp1252"),
        (TYPED, "cp1252"),
        (SPANISH, "cp1252"),
        (SPANISH, "cp437"),
        (SPANISH, "mac-roman"),
        (GERMAN, "cp1252"),
        (GERMAN, "cp850"),
        (GERMAN, "mac-roman"),
        (POLISH, "cp1250"),
        (POLISH, "cp852"),
        (CZECH, "cp1250"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp866"),
        (RUSSIAN, "mac-cyrillic"),
        (GREEK, "cp1253"),
        (TURKISH, "cp1254"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc-jp"),
        (JAPANESE, "iso2022_jp"),
        (CHINESE, "gb18030"),
        (KOREAN, "cp949"),
    ],
)
def test_what_is_recognised_is_read_and_said(text: str, encoding: str) -> None:
    contents = read(f"text\tlabel\n{text}\tbilling\n".encode(encoding))
    assert only(contents).text == text
    [said] = [sentence for sentence in contents.said if "read as" in sentence]
    assert "--encoding" in said
    assert any(word in said for word in text.replace("?", "? ").split())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", [PORTUGUESE, RUSSIAN, "plain"])
def test_unicode_in_every_form_needs_no_guess(text: str, encoding: str) -> None:
    contents = read(f"text\tlabel\r\n{text}\tbilling\r\n".encode(encoding))
    assert pairs(contents) == [(text, "billing")]
    assert not any("if that is wrong" in sentence for sentence in contents.said)


def test_big_endian_with_a_mark() -> None:
    assert only(read(codecs.BOM_UTF16_BE + f"text,label\n{GREEK},it\n".encode("utf-16-be"))).text == GREEK


@pytest.mark.parametrize("encoding", ["cp850", "mac-roman", "cp1250"])
def test_a_named_encoding_is_not_guessed(encoding: str) -> None:
    contents = read("text,label\nMüller,it\n".encode(encoding), ReadOptions(encoding=encoding))
    assert only(contents).text == "Müller"
    assert contents.said == [f"read as {codecs.lookup(encoding).name} (Müller)"]


def test_too_little_to_tell_is_refused_with_what_each_would_give() -> None:
    with pytest.raises(UsageError, match='--encoding cp850 for "café", --encoding mac-roman for "cafÇ"'):
        read("text,label\ncafé,it\n".encode("cp850"))


@pytest.mark.parametrize("name", ["klingon", "hex", "rot13", "punycode", "idna", ""])
def test_no_encoding_at_all_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="there is no such encoding"):
        decoded(b"x", name)


def test_foreign_lines_in_utf8_are_refused_by_their_lines() -> None:
    lines = [f"não {n},billing".encode() for n in range(4)]
    file = b"\n".join([b"text,label", *lines, "março,it".encode("cp1252"), b"plain,it"])
    contents = read(file)
    assert problems(contents) == ["line 6: the byte 0xE7 belongs to another encoding"]
    assert [text for text, _ in pairs(contents)] == ["não 0", "não 1", "não 2", "não 3", "plain"]


def test_utf8_lines_in_another_encoding_are_refused_by_their_lines() -> None:
    lines = [f"cobrança {n} não chegou,billing".encode("cp1252") for n in range(4)]
    contents = read(b"\n".join([b"text,label", *lines, "março,it".encode()]))
    assert problems(contents) == ["line 6: the byte 0xC3 belongs to another encoding"]
    assert pairs(contents)[0] == ("cobrança 0 não chegou", "billing")


def test_a_wrongly_named_encoding_is_refused_by_its_lines() -> None:
    contents = read("text,label\nmarço,it\nplain,it\n".encode("cp1252"), ReadOptions(encoding="utf-8"))
    assert problems(contents) == ["line 2: the byte 0xE7 belongs to another encoding"]
    assert pairs(contents) == [("plain", "it")]


def test_json_lines_in_another_encoding_and_a_broken_one() -> None:
    row = '{"text": "A fatura de março", "label": "billing"}\n'
    assert only(read(row.encode("cp1252"))).text == "A fatura de março"
    contents = read(row.encode() * 2 + row.encode("cp1252"))
    assert problems(contents) == ["line 3: the byte 0xE7 belongs to another encoding"]


def test_a_utf16_file_that_breaks_off_is_refused_by_its_line() -> None:
    contents = read("text\tlabel\nfine\tit\nlost\tit".encode("utf-16")[:-1])
    assert pairs(contents) == [("fine", "it")]
    assert problems(contents)[0].startswith("line 3: ")


def test_signs_that_were_lost_before_are_said() -> None:
    contents = read("text,label\nmar\ufffdo,it\nplain,it\n")
    assert "1 text held U+FFFD: signs that were lost before this file was written: line 2" in contents.said
