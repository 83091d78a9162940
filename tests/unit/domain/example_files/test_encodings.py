"""Every encoding that a spreadsheet or a helpdesk writes is read or refused; nothing is replaced silently."""

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
        ("Nie mogę się zalogować", "cp1250"),
        ("Proszę o zwrot pieniędzy za zamówienie", "cp1250"),
        ("Gdzie jest moja przesyłka", "iso8859-2"),
        ("łódź", "iso8859-2"),
        (CZECH, "cp1250"),
        ("Nemohu se přihlásit", "cp1250"),
        ("Kétszer vonták le az összeget", "cp1250"),
        ("Gdje je moj paket? Već čekam tjedan dana", "cp1250"),
        ("café", "cp850"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp866"),
        (RUSSIAN, "mac-cyrillic"),
        (GREEK, "cp1253"),
        (TURKISH, "cp1254"),
        ("çok üzgünüm şifre", "cp1254"),
        ("أين طردي", "cp1256"),
        ("איפה החבילה שלי", "cp1255"),
        ("พัสดุของฉันอยู่ที่ไหน", "cp874"),
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


@pytest.mark.parametrize(
    ("text", "encoding", "choices"),
    [
        ("Kde je můj balík?", "cp1250", '--encoding cp1250 for "můj", --encoding cp1252 for "mùj"'),
        ("sürgős", "cp1250", '--encoding cp1252 for "sürgõs", --encoding cp1250 for "sürgős"'),
        ("cobrança", "cp850", '--encoding cp437 for "cobrança", --encoding mac-roman for "cobranáa"'),
        ("счёт", "cp1251", '--encoding cp1251 for "счёт"'),
        ("счёт", "koi8-r", '--encoding koi8-r for "счёт"'),
        ("荷物はどこですか", "shift_jis", '--encoding cp932 for "荷物はどこですか"'),
        ("荷物はどこですか", "euc-jp", '--encoding euc_jis_2004 for "荷物はどこですか"'),
        ("帳單錯誤", "big5", '--encoding big5hkscs for "帳單錯誤"'),
        ("환불", "euc-kr", '--encoding cp949 for "환불"'),
        ("costs 30 €", "iso8859-15", '--encoding iso8859-15 for "€"'),
    ],
)
def test_too_little_to_tell_is_refused_by_its_line_with_what_each_would_give(
    text: str, encoding: str, choices: str
) -> None:
    with pytest.raises(UsageError) as refused:
        read(f"text\tlabel\nplain\tit\n{text}\tit\n".encode(encoding))
    assert str(refused.value).startswith("line 3: it is not UTF-8, and which encoding it is cannot be told; name it: ")
    assert choices in str(refused.value)


def test_a_large_file_of_several_languages_is_one_file() -> None:
    said = [PORTUGUESE, SPANISH, GERMAN, TYPED, "C’est la 2ème fois, « déjà payé »", "Ærø: £30 – Œuvre, Łódź? no"]
    rows = "".join(f"{text.replace('Ł', 'L').replace('ź', 'z')} {n}\tit\n" for n in range(50) for text in said)
    contents = read(f"text\tlabel\n{rows}".encode("cp1252"))
    assert len(contents.examples) == 300
    assert pairs(contents)[0] == (f"{PORTUGUESE} 0", "it")
    assert pairs(contents)[4] == ("C’est la 2ème fois, « déjà payé » 0", "it")


def test_accents_written_in_ascii_are_asked_about() -> None:
    contents = read("text,label\nA fatura de março,it\n1+2-3 is fine\n".encode("utf-7"))
    assert "read as plain text; if mar+AOc-o means março, name it: --encoding utf-7" in contents.said
    assert only(read("text,label\nmarço,it\n".encode("utf-7"), ReadOptions(encoding="utf-7"))).text == "março"


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
