"""The voice that reads words learns teams in any script, and gives no opinion on text of which it knows no piece."""

import numpy as np
import pytest

from bot.domain.mixture import WORDS
from inference.voices.fit import fit_voices
from inference.voices.voice import Questions
from inference.voices.words import WordsModel
from tests.unit.inference.voices.test_fit import lessons

TEAMS = {
    "hi": {
        "billing": ["मेरा बिल गलत है", "बिल में ज़्यादा पैसे लगे", "बिल दोबारा भेजिए", "पैसे वापस चाहिए", "बिल का भुगतान नहीं हुआ"],
        "it": ["पासवर्ड काम नहीं कर रहा", "पासवर्ड बदलना है", "लैपटॉप चालू नहीं होता", "नया पासवर्ड भेजिए", "लैपटॉप बहुत धीमा है"],
    },
    "th": {
        "billing": ["ขอใบเสร็จรับเงิน", "ใบเสร็จหาย", "ต้องการคืนเงิน", "คืนเงินให้ด้วย", "ใบเสร็จไม่ถูกต้อง"],
        "it": ["ลืมรหัสผ่าน", "รหัสผ่านใช้ไม่ได้", "คอมพิวเตอร์เปิดไม่ติด", "เปลี่ยนรหัสผ่าน", "คอมพิวเตอร์ช้ามาก"],
    },
    "zh": {
        "billing": ["我要退款", "发票开错了", "请重新开发票", "退款还没到账", "发票抬头不对"],
        "it": ["忘记密码了", "密码登录不上", "电脑开不了机", "重置密码", "电脑很慢"],
    },
    "ja": {
        "billing": [
            "返金してください",
            "請求書が間違っています",
            "請求書を再発行して",
            "返金はいつですか",
            "請求書の宛名",
        ],
        "it": [
            "パスワードを忘れました",
            "パスワードが使えません",
            "パソコンが動きません",
            "パスワードの変更",
            "パソコンが遅い",
        ],
    },
    "ar": {
        "billing": [
            "الفاتورة غير صحيحة",
            "أريد استرداد المبلغ",
            "أرسلوا الفاتورة مرة أخرى",
            "استرداد المال",
            "الفاتورة مكررة",
        ],
        "it": ["نسيت كلمة المرور", "كلمة المرور لا تعمل", "الحاسوب لا يعمل", "تغيير كلمة المرور", "الحاسوب بطيء"],
    },
    "he": {
        "billing": ["החשבונית שגויה", "אני רוצה החזר כספי", "שלחו חשבונית חדשה", "איפה ההחזר", "חשבונית כפולה"],
        "it": ["שכחתי סיסמה", "הסיסמה לא עובדת", "המחשב לא נדלק", "להחליף סיסמה", "המחשב איטי"],
    },
}
ASKED = {
    "hi": [("बिल नहीं मिला", "billing"), ("पासवर्ड भूल गया", "it"), ("लैपटॉप खराब है", "it")],
    "th": [("ยังไม่ได้ใบเสร็จ", "billing"), ("รหัสผ่านหมดอายุ", "it"), ("คอมพิวเตอร์เสีย", "it")],
    "zh": [("什么时候退款", "billing"), ("电脑坏了", "it"), ("想改密码", "it")],
    "ja": [("請求書をなくした", "billing"), ("パスワードが違う", "it"), ("パソコンが壊れた", "it")],
    "ar": [("لم تصل الفاتورة", "billing"), ("كلمة المرور منتهية", "it"), ("الحاسوب معطل", "it")],
    "he": [("לא קיבלתי חשבונית", "billing"), ("סיסמה חסומה", "it"), ("המחשב התקלקל", "it")],
}


def learned(pairs: list[tuple[str, str]]) -> WordsModel:
    words = fit_voices(lessons(pairs, vectors=False)).fitted[WORDS]
    assert isinstance(words, WordsModel)
    return words


def asked(*texts: str) -> Questions:
    return Questions(texts, np.zeros((len(texts), 0), dtype=np.float32))


def answers(model: WordsModel, *texts: str) -> list[str]:
    return [model.linear.labels[row.argmax()] for row in model.log_probabilities(asked(*texts))]


@pytest.mark.parametrize("language", TEAMS)
def test_teams_are_learned_in_any_script(language: str) -> None:
    model = learned([(text, team) for team, texts in TEAMS[language].items() for text in texts])
    assert answers(model, *(text for text, _ in ASKED[language])) == [team for _, team in ASKED[language]]


def test_a_vowel_sign_tears_no_word_apart() -> None:
    model = learned([("बिल", "billing"), ("बिल दो", "billing"), ("बाल", "people"), ("बाल दो", "people")])
    assert {"बिल", "बाल"} <= set(model.words.features)
    assert answers(model, "बाल", "बिल") == ["people", "billing"]


def test_signs_that_tell_words_apart_stay_with_them() -> None:
    pairs = [
        ("C++ build", "native"),
        ("C# build", "dotnet"),
        ("pay -20 €", "refund"),
        ("pay 20 €", "sale"),
        ("👍", "yes"),
    ]
    features = set(learned(pairs).words.features)
    assert {"c++", "c#", "-20", "20", "€", "👍"} <= features
    assert "c" not in features


def test_it_says_nothing_of_a_text_that_it_knows_no_piece_of() -> None:
    model = learned([("where is my refund!", "billing"), ("my laptop is broken, 20 times", "it")])
    said = model.log_probabilities(asked("पासवर्ड काम नहीं कर रहा!", "我要退款, 20", "refund", "पासवर्ड laptop"))
    assert np.isnan(said).all(axis=1).tolist() == [True, True, False, False]
