"""Messages that need no action, in many scripts; no request is taken for a greeting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.small_talk import is_small_talk


@pytest.mark.parametrize(
    "text",
    [
        "नमस्ते",
        "नमस्ते जी!",
        "बहुत बहुत धन्यवाद 🙏",
        "ठीक है।",
        "مرحبًا",
        "السلام عليكم",
        "شُكْرًا",
        "สวัสดีครับ",
        "ขอบคุณมากค่ะ 😊",
        "你好",
        "你好！",
        "大家好，谢谢",
        "こんにちは",
        "ありがとうございます。",
        "안녕하세요, 감사합니다",
        "שלום לכולם",
        "תודה רבה!!",
        "Здравствуйте, спасибо",
        "Bonjour, merci d’avance",
        "Guten Morgen zusammen",
        "Buongiorno a tutti",
        "👍🏽",
        "🙏🙏",
        "1️⃣",
        "?!…。،",
    ],
)
def test_greetings_and_thanks_ask_for_nothing(text: str) -> None:
    assert is_small_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "मेरा पासवर्ड काम नहीं कर रहा",
        "मदद",
        "नमस्ते, मेरा बिल गलत है",
        "की",
        "أريد استرداد أموالي",
        "مرحبا، حسابي مغلق",
        "ฉันต้องการคืนเงิน",
        "สวัสดีครับ ขอใบเสร็จ",
        "我要退款",
        "你好，我要退款",
        "发票",
        "返金してください",
        "請求書",
        "환불해 주세요",
        "אני רוצה החזר",
        "שלום, החשבון שלי חסום",
        "C++",
        "C#",
        "-20 €",
        "20 €",
        "½",
        "R&D",
    ],
)
def test_whatever_is_not_known_is_a_request(text: str) -> None:
    assert not is_small_talk(text)


@pytest.mark.parametrize(
    "letters",
    ["कखगघचछजझटठडढतथदधनपफबभमयरलवशसह", "กขคงจชซญดตถทนบปผพฟมยรลวสหอฮ", "בגדזחטכלמנסעפצקרת", "数账户网络电脑设备"],
)
@given(picks=st.lists(st.integers(0, 200), min_size=6, max_size=12))
def test_letters_at_random_are_a_request_in_every_script(letters: str, picks: list[int]) -> None:
    assert not is_small_talk("".join(letters[pick % len(letters)] for pick in picks))
