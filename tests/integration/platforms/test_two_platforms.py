"""A person on one platform and their team on the other, through both real clients and the whole flow."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.messages import Person, Place
from bot.domain.tasks import Label, Task
from db.engine import Database
from tests.integration.platforms.slack import parts as slack
from tests.integration.platforms.telegram import parts as telegram
from tests.servers.slack import Post as SlackPost
from tests.servers.slack import SlackServer
from tests.servers.slack import User as Colleague
from tests.servers.telegram import Post as TelegramPost
from tests.servers.telegram import TelegramServer
from tests.servers.telegram import User as Customer
from tests.servers.wire import items, word
from tests.worlds.both_platforms import BothPlatforms, between, nobody_waits_for_a_turn

TASK = Task(
    name="routing",
    question="Which team?",
    labels=(
        Label("billing", "Invoices", emoji={"slack": "moneybag"}, deliver_to={"slack": Place("slack", slack.BILLING)}),
        Label(
            "it", "Laptops", emoji={"telegram": "👨‍💻"}, deliver_to={"telegram": Place("telegram", f"{telegram.IT}/45")}
        ),
    ),
    fallback="it",
)
ANN, LEE, MIA = telegram.ANN, telegram.LEAD, slack.ANN


class Company(BothPlatforms):
    """Customers and a team in Telegram, employees and a team in Slack, and everything between them."""

    def told(self) -> list[str]:
        """The messages that Ann reads."""
        return [post.text for post in self.telegram.posts(ANN)]

    def in_slack(self) -> list[SlackPost]:
        return self.slack.posts(slack.BILLING)

    def in_telegram(self) -> list[TelegramPost]:
        return self.telegram.posts(telegram.IT)


@pytest.fixture
async def company(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    nobody_waits_for_a_turn(monkeypatch)
    async with TelegramServer() as chats, SlackServer([slack.HELP, slack.BILLING]) as workspace:
        chats.add_group(telegram.IT, "it", topics=(45,))
        chats.add_user(Customer(id=ANN, first_name="Ann"))
        chats.add_user(Customer(id=LEE, first_name="Lee"))
        chats.add_member(telegram.IT, LEE)
        workspace.add_user(Colleague(id=MIA, name="Mia"))
        workspace.add_user(Colleague(id=slack.LEAD, name="Bo"))
        async with between(chats, workspace, database, tmp_path, TASK) as story:
            yield Company(story, workspace, chats)


async def test_a_customer_in_telegram_and_their_team_in_slack(company: Company) -> None:
    await company.telegram.shows(ANN, "document", b"pdf", caption="I was charged twice", name="bill.pdf")
    await company.settles()
    assert company.told() == ["Thanks! This is one for billing. It is with them now."]
    card = company.in_slack()[0]
    await company.slack.writes(slack.LEAD, slack.BILLING, "between us: a bug", thread_ts=card.ts)
    await company.settles()
    assert len(company.told()) == 1, "nothing internal reaches the customer"
    receipt = company.slack.files.add("receipt.pdf", b"refund", "application/pdf", slack.BILLING)
    await company.slack.attaches(slack.LEAD, slack.BILLING, "reply: it is on its way &lt;b&gt; &amp;", receipt, card.ts)
    await company.telegram.writes(ANN, "thank you, when?")
    await company.settles()
    words, file = company.telegram.posts(ANN)[1:]
    assert (words.text, file.reply_to) == ("billing writes:\nit is on its way <b> &", words.message_id)
    assert b"refund" in [content for _, content in company.telegram.account.files.values()]
    assert b"pdf" in [file.content for file in company.slack.files.stored.values()]
    assert "Ann added: thank you, when?" in [post.text for post in company.in_slack() if post.thread_ts == card.ts]


async def test_a_customer_in_telegram_who_blocked_the_bot_and_their_team_in_slack(company: Company) -> None:
    await company.telegram.writes(ANN, "I was charged twice")
    await company.settles()
    card = company.in_slack()[0]
    await company.telegram.blocks(ANN)
    await company.slack.writes(slack.LEAD, slack.BILLING, "reply: hello?", thread_ts=card.ts)
    await company.settles()
    assert any("✗ they blocked the bot" in post.text for post in company.in_slack())


async def test_an_employee_in_slack_and_their_team_in_telegram(company: Company) -> None:
    photo = company.slack.files.add("screen.png", b"screen", "image/png", slack.HELP)
    asked = await company.slack.attaches(MIA, slack.HELP, "my laptop is broken", photo)
    await company.settles()
    card, screen = company.in_telegram()[:2]
    assert (card.thread, screen.thread, screen.reply_to) == (45, 45, card.message_id)
    await company.telegram.writes(LEE, "a bad one", telegram.IT, thread=45, reply_to=card.message_id)
    await company.telegram.shows(
        LEE, "photo", b"map", telegram.IT, thread=45, reply_to=card.message_id, caption="reply: come to room 3"
    )
    await company.settles()
    heard = [post.text for post in company.slack.posts(slack.HELP) if post.thread_ts == asked]
    assert [text for text in heard if "room 3" in text or "bad one" in text] == ["IT writes: come to room 3"]
    assert b"map" in [file.content for file in company.slack.files.stored.values()]
    await company.slack.writes(MIA, slack.HELP, "on my way", thread_ts=asked)
    await company.settles()
    assert (company.in_telegram()[-1].text, company.in_telegram()[-1].thread) == ("Mia added\non my way", 45)


async def test_what_one_platform_edits_the_other_reads(company: Company) -> None:
    asked = await company.slack.writes(MIA, slack.HELP, "my laptop is broken")
    await company.settles()
    card = company.in_telegram()[0]
    note = await company.telegram.writes(LEE, "reply: room 3", telegram.IT, thread=45, reply_to=card.message_id)
    await company.settles()
    await company.telegram.edits(LEE, telegram.IT, note, "reply: room 4")
    await company.slack.edits(MIA, slack.HELP, asked, "my laptop is broken and hot")
    await company.settles()
    assert "broken and hot" in company.in_telegram()[0].text
    assert "IT writes (edited): room 4" in [post.text for post in company.slack.posts(slack.HELP)]


# --- text keeps its content between platforms ---

PAY = "https://pay.example/refund?id=9"


def _links(post: TelegramPost) -> list[object]:
    return [entity["url"] for entity in post.entities if entity["type"] == "text_link"]


async def test_a_reply_from_slack_keeps_its_links_names_and_emoji(company: Company) -> None:
    await company.telegram.writes(ANN, "I was charged twice")
    await company.settles()
    card = company.in_slack()[0]
    note = f"*reply:* <@{MIA}> will call you, please fill in <{PAY}|this form> :white_check_mark:"
    await company.slack.writes(slack.LEAD, slack.BILLING, note, thread_ts=card.ts)
    await company.settles()
    post = company.telegram.posts(ANN)[-1]
    assert post.text == "billing writes:\n@Mia will call you, please fill in this form ✅"
    assert _links(post) == [PAY]


async def test_a_reply_from_telegram_keeps_its_links_in_slack(company: Company) -> None:
    asked = await company.slack.writes(MIA, slack.HELP, f"my laptop is broken, see <{PAY}|the log>")
    await company.settles()
    card = company.in_telegram()[0]
    assert _links(card)[0] == PAY
    link = {"type": "text_link", "offset": 11, "length": 4, "url": PAY}
    await company.telegram.writes(
        LEE, "reply: see here", telegram.IT, thread=45, reply_to=card.message_id, extra={"entities": [link]}
    )
    await company.settles()
    [post] = [one for one in company.slack.posts(slack.HELP) if "see here" in one.text and one.thread_ts == asked]
    assert f'{{"type": "link", "url": "{PAY}", "text": "here"}}' in json.dumps(post.blocks)


async def test_a_forward_after_the_prefix_is_sent_and_nothing_is_told(company: Company) -> None:
    await company.telegram.writes(ANN, "I was charged twice")
    await company.settles()
    card = company.in_slack()[0]
    shared = {"is_share": True, "author_name": "Bo", "text": "the refund takes three days"}
    await company.slack.writes(slack.LEAD, slack.BILLING, "reply:", thread_ts=card.ts, extra={"attachments": [shared]})
    await company.settles()
    assert company.told()[-1] == "billing writes:\n↪ Bo: the refund takes three days"
    await company.slack.writes(slack.LEAD, slack.BILLING, "reply:", thread_ts=card.ts)
    await company.settles()
    assert any("Nothing was sent" in post.text for post in company.slack.ephemerals(slack.BILLING, slack.LEAD))


async def test_long_words_are_read_whole_in_both_directions(company: Company) -> None:
    words = " ".join(f"word{number}" for number in range(1_200))
    await company.telegram.writes(ANN, "charged twice " + words[:3_500])
    await company.settles()
    card = company.in_slack()[0]
    said = [card, *(post for post in company.in_slack() if post.thread_ts == card.ts)]
    assert " ".join(map(_quoted, said)).strip() == "charged twice " + words[:3_500]
    await company.slack.writes(slack.LEAD, slack.BILLING, f"reply: {words}", thread_ts=card.ts)
    await company.settles()
    heard = [text.removeprefix("billing writes:\n") for text in company.told()[1:]]
    assert (len(heard), " ".join(heard)) == (4, words)


async def test_deleted_words_go_from_what_followed_the_card_too(company: Company) -> None:
    asked = await company.slack.writes(MIA, slack.HELP, "my laptop " + "is broken " * 300)
    await company.settles()
    assert len(company.in_telegram()) == 2
    await company.slack.deletes(MIA, slack.HELP, asked)
    await company.settles()
    assert [post.text for post in company.in_telegram()[1:]] == ["—"]
    assert "broken" not in company.in_telegram()[0].text


async def test_a_picture_put_in_place_of_another_arrives_under_the_card(company: Company) -> None:
    asked = await company.telegram.shows(ANN, "photo", b"old", caption="I was charged twice")
    await company.settles()
    await company.telegram.replaces(ANN, asked, "photo", b"the new one")
    await company.settles()
    assert b"the new one" in [file.content for file in company.slack.files.stored.values()]
    assert "Ann changed the attachments: these count now" in [post.text for post in company.in_slack()]


def _quoted(post: SlackPost) -> str:
    """The contents of a message's quotations."""
    parts = [part for block in post.blocks if block["type"] == "rich_text" for part in items(block, "elements")]
    return "".join(word(element, "text") for part in parts for element in items(part, "elements"))


# --- people whom others cite ---


async def test_somebody_whom_a_customer_forwarded_is_forgotten_on_the_card_in_slack(company: Company) -> None:
    zoe = {"id": 4242, "is_bot": False, "first_name": "Zoe", "last_name": "Zimmer"}
    origin = {"type": "user", "date": 1, "sender_user": zoe}
    await company.telegram.writes(ANN, "charged twice for order 4711", extra={"forward_origin": origin})
    await company.settles()
    card = company.in_slack()[0]
    assert "4711" in json.dumps(card.blocks) and "Zoe Zimmer" in json.dumps(card.blocks)
    await company.story.erasure.erase(Person("telegram", "4242", "Zoe Zimmer"), company.story.time)
    await company.settles()
    left = json.dumps(company.in_slack()[0].blocks)
    assert "4711" not in left and "Zoe" not in left and "From Ann" in left


async def test_a_colleague_whom_a_reply_names_is_forgotten_in_what_the_customer_reads(company: Company) -> None:
    await company.telegram.writes(ANN, "I was charged twice")
    await company.settles()
    card = company.in_slack()[0]
    company.slack.add_user(Colleague(id="U0ZOE", name="Zoe"))
    await company.slack.writes(slack.LEAD, slack.BILLING, "reply: <@U0ZOE> will call you at 9", thread_ts=card.ts)
    await company.settles()
    assert company.told()[-1].endswith("@Zoe will call you at 9")
    await company.story.erasure.erase(Person("slack", "U0ZOE", "Zoe"), company.story.time)
    await company.settles()
    assert "@… will call you at 9" in company.told()[-1]
    assert "Zoe" not in json.dumps([company.told(), [post.blocks for post in company.in_slack()]])
