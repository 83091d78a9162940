"""Text that the author did not write for the reader is not read, and everything else is."""

import pytest

from bot.domain.noise import LeftOut, Noise, strip_noise

REQUEST = "my card was charged twice for order 8831, can you please refund it?"


def left_out(text: str) -> list[Noise]:
    return [one.kind for one in strip_noise(text).left_out]


@pytest.mark.parametrize(
    "quoted",
    [
        "On Mon, 3 Nov 2025 at 10:22, Support <support@x.com> wrote:\n> Hello Anna,\n> how is the delivery?",
        "Em seg., 3 de nov. de 2025 às 10:22, Suporte <s@x.com> escreveu:\n> Olá,\n> sobre a entrega",
        "El lun, 3 nov 2025 a las 10:22, Soporte (<s@x.com>) escribió:\n> Hola\n> el envío",
        "Am 03.11.2025 um 10:22 schrieb Support <s@x.com>:\n> Hallo\n> die Lieferung",
        "From: IT Service\nSent: Monday, 3 November 2025 10:22\nTo: Bob\nSubject: delivery\n\nYour parcel is late.",
    ],
)
def test_quoted_mail_is_left_out_in_many_languages(quoted: str) -> None:
    assert strip_noise(f"{REQUEST}\n\n{quoted}").text.strip() == REQUEST
    assert left_out(f"{REQUEST}\n\n{quoted}") == [Noise.QUOTE]


@pytest.mark.parametrize(
    "signature",
    [
        "Thanks and best regards,\nAnna Schmidt\nSenior Buyer | ACME GmbH\nTel. +49 30 1234567\nanna@acme.de",
        "Atenciosamente,\nJoão Silva\nGerente de Compras\n+55 11 99999-0000",
        "Saludos cordiales,\nAna García\nEnviado desde mi iPhone",
        "Mit freundlichen Grüßen\nJörg",
        "-- \nBob\nhttps://bob.example",
        "Sent from my iPhone",
    ],
)
def test_a_signature_is_left_out(signature: str) -> None:
    assert strip_noise(f"Hello,\n{REQUEST}\n\n{signature}").text == f"Hello,\n{REQUEST}"


def test_thanks_at_the_beginning_or_followed_by_more_is_no_signature() -> None:
    early = f"Thanks,\n{REQUEST}"
    followed = f"{REQUEST}\nThanks!\nAnd the other thing is that my parcel has not arrived since Monday last week."
    assert strip_noise(early).text == early
    assert strip_noise(followed).text == followed


def test_of_a_stack_trace_the_error_is_read_and_the_frames_are_not() -> None:
    python = 'Traceback (most recent call last):\n  File "a.py", line 3, in save\n    commit()\n  File "b.py", line 9\n'
    text = f"The app fails when I save an invoice:\n{python}ValueError: no such account\nplease help"
    kept = strip_noise(text).text
    assert "ValueError: no such account" in kept
    assert "commit" not in kept
    java = "It fails on login:\njava.lang.NullPointerException: user"
    frames = "\tat a.b.C.d(C.java:12)\n\tat a.E.f(E.java:3)\n\t... 9 more"
    assert strip_noise(f"{java}\n{frames}").text == java


def test_a_page_is_read_as_its_words_and_a_tag_somebody_asks_about_stays() -> None:
    page = "<html><body><p>Hello</p><p>My card &amp; account are <b>blocked</b></p></body></html>"
    assert strip_noise(page).text == "Hello\nMy card & account are blocked"
    asked = "why does </div> close my <p> too early in the template?"
    assert strip_noise(asked).text == asked


def test_a_disclaimer_is_left_out() -> None:
    text = f"{REQUEST}\n\nThis e-mail is confidential and intended only for the addressee."
    assert strip_noise(text).text == REQUEST
    assert strip_noise(text).left_out == (LeftOut(Noise.DISCLAIMER, 10),)


@pytest.mark.parametrize(
    "text",
    [
        REQUEST,
        "FYI, see below\n\nFrom: Bob\nSent: Monday\nTo: IT\nSubject: printer\n\nMy printer is broken since Monday.",
        "> my printer\n> is broken\n> since Monday",
        "two requests:\n- a new badge\n- a parking place near the gate",
        "打印机坏了\n请帮忙",
        "",
        "\n\n\n",
    ],
)
def test_where_that_is_the_message_nothing_is_left_out(text: str) -> None:
    assert strip_noise(text).text == text
    assert strip_noise(text).left_out == ()


@pytest.mark.parametrize(
    "piece", ["On Monday wrote ", "From: a\n", "> ", "-\n", "Best regards\n", "\n", "at a.b(", "</p>"]
)
def test_no_text_takes_it_long(piece: str) -> None:
    """Two of three libraries that were tried need seconds, or minutes, for some of these."""
    assert isinstance(strip_noise(piece * (8_000 // len(piece))).text, str)


def test_what_is_stripped_once_stays_so() -> None:
    text = f"Hello,\n{REQUEST}\n\nBest regards,\nAnna\n\nOn Monday, Bob <b@x.com> wrote:\n> one\n> two\n> three"
    once = strip_noise(text).text
    assert strip_noise(once).text == once
