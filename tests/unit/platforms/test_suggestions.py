"""What cards show of suggestions, and how leads choose another: on Slack and on Telegram."""

from dataclasses import replace

from bot.domain.decisions import Author
from bot.domain.question_posts import QuestionAnswer
from tests.unit.platforms.slack import test_render as slack
from tests.unit.platforms.telegram import test_render as telegram


def test_slack_says_what_could_be_offered_why_and_how_leads_say_otherwise() -> None:
    legend = (("slack", "mortar_board", "Course"), ("slack", "see_no_evil", "Nothing"))
    course = QuestionAnswer(
        "products", "course", "Course", 0.8, Author.EXAMPLES, legend, suggests=True, means="We show them", solved=0.75
    )
    text = slack.shown(slack.card(answers=(course,)))
    assert "May suit them: Course · 80%: We show them" in text
    assert "Course: on the cards of 75% of similar requests solved before" in text
    assert "Suggest something else, or nothing: :mortar_board: Course  :see_no_evil: Nothing" in text
    nothing = replace(course, label="nothing", title="Nothing", means="", solved=0.0)
    silent = slack.shown(slack.card(answers=(replace(nothing, absent=True),)))
    assert "May suit them" not in silent and "Suggest something else, or nothing:" in silent
    assert "Nothing, a lead says" in slack.shown(slack.card(answers=(replace(nothing, by=Author.LEAD),)))
    assert "Pode servir a esta pessoa: Course" in slack.shown(slack.card(answers=(course,)), "pt-BR")
    assert "Puede servirle a esta persona: Course" in slack.shown(slack.card(answers=(course,)), "es")


def test_telegram_says_what_could_be_offered_and_how_leads_say_otherwise() -> None:
    legend = (("telegram", "🤓", "Course"), ("telegram", "🙈", "Nothing"))
    course = QuestionAnswer(
        "products", "course", "Course", 0.8, "model", legend, suggests=True, means="We show them", solved=0.75
    )
    said = telegram.say(telegram.card(answers=(course,))).text
    assert "May suit them: Course · 80%: We show them" in said
    assert "Course: on the cards of 75% of similar requests solved before" in said
    assert "Suggest something else, or nothing: 🤓 Course  🙈 Nothing" in said
    assert "May suit them" not in telegram.say(telegram.card(answers=(replace(course, absent=True),))).text
