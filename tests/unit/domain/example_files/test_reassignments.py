"""Histories of tickets, in the formats of helpdesks: the last team is the label, and the first one is reported."""

import json
from collections.abc import Mapping, Sequence

import pytest

from bot.domain.errors import UsageError
from bot.domain.example_files.reading import Contents, ReadOptions, read_examples
from bot.domain.example_files.rows import BadLine
from bot.domain.learning import Source, settle
from tests.samples import NOW, TASK

ZAMMAD_TICKETS = [
    {"id": 5, "group_id": 2, "group": "Billing", "number": "65005", "title": "Double charge", "state": "closed",
     "customer": "cleo@example.com", "owner": "-", "created_at": "2026-01-05T09:00:00.000Z"},
    {"id": 6, "group_id": 3, "group": "IT", "number": "65006", "title": "VPN",
     "created_at": "2026-01-06T09:00:00.000Z"},
]  # fmt: skip
ZAMMAD_ARTICLES = [
    {"id": 11, "ticket_id": 5, "sender": "Customer", "type": "email", "content_type": "text/html", "internal": False,
     "body": "<div>I was charged twice<br>in December.</div>", "created_at": "2026-01-05T09:00:00.000Z"},
    {"id": 12, "ticket_id": 5, "sender": "Agent", "body": "We look into it.", "created_at": "2026-01-05T10:00:00.000Z"},
    {"id": 13, "ticket_id": 6, "sender": "Customer", "body": "The tunnel is down", "internal": False},
]  # fmt: skip
ZAMMAD_HISTORY = {
    "history": [
        {"id": 90, "o_id": 5, "object": "Ticket", "type": "created", "created_by_id": 7,
         "created_at": "2026-01-05T09:00:00.000Z"},
        {"id": 91, "o_id": 5, "object": "Ticket", "type": "updated", "attribute": "group", "id_from": 1, "id_to": 4,
         "value_from": "Delivery", "value_to": "IT", "created_by_id": 3, "created_at": "2026-01-05T11:00:00.000Z"},
        {"id": 93, "o_id": 5, "object": "Ticket", "type": "updated", "attribute": "group", "id_from": 4, "id_to": 2,
         "value_from": "IT", "value_to": "Billing", "created_by_id": 3, "created_at": "2026-01-05T12:30:00.000Z"},
        {"id": 92, "o_id": 5, "object": "Ticket", "type": "updated", "attribute": "state", "value_from": "new",
         "value_to": "open", "created_by_id": 3, "created_at": "2026-01-05T12:40:00.000Z"},
    ],
    "assets": {"Ticket": {"5": ZAMMAD_TICKETS[0]}, "User": {"3": {"id": 3, "firstname": "Ada", "email": "ada@x.org"}}},
}  # fmt: skip
ZENDESK_GROUPS = {"groups": [{"id": 101, "name": "Delivery"}, {"id": 102, "name": "Billing"}], "count": 2}
ZENDESK_AUDITS = {
    "audits": [
        {"id": 1, "ticket_id": 35, "created_at": "2026-02-01T08:00:00Z", "author_id": 9, "via": {"channel": "web"},
         "events": [
             {"id": 2, "type": "Comment", "public": True, "author_id": 9, "body": "Where is my refund?",
              "html_body": "<p>Where is my refund?</p>", "plain_body": "Where is my refund?"},
             {"id": 3, "type": "Create", "field_name": "group_id", "value": "101"},
             {"id": 4, "type": "Create", "field_name": "status", "value": "open"}]},
        {"id": 5, "ticket_id": 35, "created_at": "2026-02-01T09:15:00Z", "author_id": 4,
         "events": [
             {"id": 6, "type": "Change", "field_name": "group_id", "value": "102", "previous_value": "101"},
             {"id": 7, "type": "Comment", "public": False, "body": "not ours"}]},
    ],
    "next_page": None,
}  # fmt: skip
ZENDESK_EVENTS = {
    "ticket_events": [
        {"id": 1, "ticket_id": 36, "timestamp": 1769932800, "updater_id": 4, "event_type": "Audit",
         "child_events": [{"id": 2, "event_type": "Create", "group_id": 102}, {"id": 3, "status": "open"}]},
    ],
    "end_time": 1769932800,
}  # fmt: skip
ZENDESK_TICKETS = {
    "tickets": [
        {"id": 36, "subject": "Invoice", "description": "The invoice of May is wrong", "group_id": 102,
         "created_at": "2026-02-01T08:00:00Z"}]
}  # fmt: skip
CHATWOOT_CONVERSATIONS = {
    "data": {
        "meta": {"all_count": 2},
        "payload": [
            {"id": 21, "inbox_id": 1, "status": "resolved", "messages": [],
             "meta": {"sender": {"id": 1, "name": "Cleo"}, "assignee": {"id": 3, "name": "Ada"},
                      "team": {"id": 2, "name": "billing"}}},
            {"id": 22, "status": "open", "meta": {"team": None, "assignee": None}, "messages": [
                {"id": 70, "content": "The tunnel is down", "message_type": 0, "created_at": 1767603600,
                 "conversation_id": 22}]},
        ],
    }
}  # fmt: skip
CHATWOOT_ASKED = {
    "id": 60, "content": "I was charged twice", "message_type": 0, "created_at": 1767603600, "conversation_id": 21,
}  # fmt: skip
CHATWOOT_MESSAGES = {
    "meta": {"labels": []},
    "payload": [
        CHATWOOT_ASKED,
        {"id": 61, "content": "Assigned to delivery by Bo", "message_type": 2, "created_at": 1767603700,
         "conversation_id": 21},
        {"id": 62, "content": "Assigned to Ada by Bo", "message_type": 2, "created_at": 1767603750,
         "conversation_id": 21},
        {"id": 63, "content": "Atribuído a Ada via billing por Bo", "message_type": 2, "created_at": 1767603800,
         "conversation_id": 21},
        {"id": 64, "content": "We look into it", "message_type": 1, "created_at": 1767603900, "conversation_id": 21},
    ],
}  # fmt: skip


def read(*documents: object, options: ReadOptions | None = None) -> Contents:
    data = "\n".join(json.dumps(document, ensure_ascii=False) for document in documents).encode()
    return read_examples(data, TASK, NOW, options or ReadOptions())


def labels(contents: Contents) -> Mapping[str, str]:
    return {example.text: example.label for _, example in contents.examples}


def told(contents: Contents) -> str:
    return next(sentence for sentence in contents.said if "reassigned" in sentence)


@pytest.mark.parametrize(
    "order",
    [
        (ZAMMAD_TICKETS, ZAMMAD_ARTICLES, ZAMMAD_HISTORY),
        (ZAMMAD_HISTORY, ZAMMAD_ARTICLES, ZAMMAD_TICKETS),
        ({"tickets": ZAMMAD_TICKETS, "articles": ZAMMAD_ARTICLES, "histories": [ZAMMAD_HISTORY]},),
    ],
)
def test_zammad_gives_a_ticket_to_the_group_it_ended_in(order: Sequence[object]) -> None:
    contents = read(*order)
    assert labels(contents) == {
        "Double charge\nI was charged twice\nin December.": "billing",
        "VPN\nThe tunnel is down": "it",
    }
    assert told(contents) == (
        "1 of 2 tickets (50%) were reassigned, most often Delivery → Billing (1); each counts with its last team"
    )
    moved = next(example for _, example in contents.examples if example.label == "billing")
    assert (moved.source, moved.at.isoformat()) == (Source.IMPORT, "2026-01-05T12:30:00+00:00")


def test_tickets_that_give_no_example_are_counted_with_what_they_lack() -> None:
    silent = {"id": 23, "meta": {"team": {"id": 2, "name": "billing"}}, "messages": []}
    contents = read(CHATWOOT_CONVERSATIONS, CHATWOOT_MESSAGES, {"payload": [silent]})
    assert labels(contents) == {"I was charged twice": "billing"}
    assert told(contents).endswith("each counts with its last team; left out: 1 without words, 1 without a team")


def test_zendesk_audits_name_the_groups_by_number() -> None:
    contents = read(ZENDESK_GROUPS, ZENDESK_AUDITS)
    assert labels(contents) == {"Where is my refund?": "billing"}
    assert told(contents).startswith("1 of 1 ticket (100%) was reassigned, most often Delivery → Billing (1)")


def test_zendesk_incremental_events_and_tickets_belong_together() -> None:
    contents = read(ZENDESK_EVENTS, ZENDESK_TICKETS, ZENDESK_GROUPS)
    assert labels(contents) == {"Invoice\nThe invoice of May is wrong": "billing"}
    assert told(contents).startswith("0 of 1 ticket (0%) was reassigned; each")


def test_chatwoot_says_in_its_activities_which_team_it_was_assigned_to_and_people_are_no_teams() -> None:
    contents = read(CHATWOOT_CONVERSATIONS, CHATWOOT_MESSAGES)
    assert labels(contents) == {"I was charged twice": "billing"}  # no ticket had the other team
    assert told(contents).startswith("1 of 1 ticket (100%) was reassigned, most often delivery → billing (1)")


def test_a_group_that_is_called_otherwise_here_is_mapped() -> None:
    groups = {"groups": [{"id": 101, "name": "Delivery"}, {"id": 102, "name": "Accounts"}]}
    assert labels(read(groups, ZENDESK_AUDITS, options=ReadOptions(mapped={"Accounts": "billing"}))) == {
        "Where is my refund?": "billing"
    }
    [bad] = read(groups, ZENDESK_AUDITS).bad
    assert "unknown label 'Accounts'" in bad.problem


CSV = """ticket,description,first_team,final_team,at
1,I was charged twice,delivery,billing,2026-03-01
2,The tunnel is down,it,it,2026-03-02
3,Where is my parcel,billing,delivery,2026-03-03
"""


def test_a_table_with_a_first_and_a_last_team_counts_the_last() -> None:
    contents = read_examples(CSV.encode(), TASK, NOW, ReadOptions())
    assert labels(contents) == {
        "I was charged twice": "billing",
        "The tunnel is down": "it",
        "Where is my parcel": "delivery",
    }
    assert told(contents).startswith("2 of 3 tickets (67%) were reassigned")


def test_columns_of_other_names_are_named() -> None:
    data = CSV.replace("first_team", "Squad A").replace("final_team", "Squad B").encode()
    contents = read_examples(data, TASK, NOW, ReadOptions(first="Squad A", label="Squad B"))
    assert told(contents).startswith("2 of 3 tickets (67%) were reassigned")
    with pytest.raises(UsageError, match="--first Squad C: no such column; columns are ticket, description"):
        read_examples(data, TASK, NOW, ReadOptions(first="Squad C", label="Squad B"))


def test_of_a_row_for_each_reassignment_the_newest_counts_in_whatever_order() -> None:
    data = (
        b"description,team,Changed\n"
        b"The card was charged twice,billing,2026-03-03 10:00\nThe card was charged twice,it,2026-03-01 09:00\n"
    )
    contents = read_examples(data, TASK, NOW, ReadOptions(at="changed"))
    assert [(one.label, one.at.day) for _, one in contents.examples] == [("billing", 3), ("it", 1)]
    assert [one.label for one in settle([one for _, one in contents.examples])] == ["billing"]
    [bad] = read_examples(data.replace(b"2026-03-01 09:00", b"on Monday"), TASK, NOW, ReadOptions(at="Changed")).bad
    assert bad == BadLine(3, "Changed must be an ISO 8601 time, not 'on Monday'")
    with pytest.raises(UsageError, match="--at moved: no such column; columns are description, team, Changed"):
        read_examples(data, TASK, NOW, ReadOptions(at="moved"))


def test_a_file_of_examples_is_no_history() -> None:
    contents = read({"text": "where is it", "label": "delivery"}, {"text": "the number of it", "label": "it"})
    assert [sentence for sentence in contents.said if "reassigned" in sentence] == []
    assert len(contents.examples) == 2


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("First Team", "Last Team"),
        ("first-group", "final-group"),
        ("firstQueue", "lastQueue"),
        ("Primeira fila", "Última fila"),
    ],
)
def test_names_with_spaces_and_accents_are_a_first_and_a_last_team_too(first: str, last: str) -> None:
    contents = read_examples(
        CSV.replace("first_team", first).replace("final_team", last).encode(), TASK, NOW, ReadOptions()
    )
    assert labels(contents)["I was charged twice"] == "billing"
    assert told(contents).startswith("2 of 3 tickets (67%) were reassigned")


def test_a_history_that_ends_in_the_middle_says_so_instead_of_giving_a_team_that_the_ticket_left() -> None:
    documents = [ZAMMAD_TICKETS, ZAMMAD_ARTICLES, ZAMMAD_HISTORY]
    whole = "\n".join(json.dumps(document) for document in documents).encode()
    contents = read_examples(whole[:-700], TASK, NOW, ReadOptions())
    assert [str(line) for line in contents.bad] == [
        "line 3: not JSON from here on; the rest of the file cannot be read"
    ]


def test_moves_of_one_second_count_in_the_order_of_the_file() -> None:
    moved = [
        {"id": 65 + n, "content": f"Assigned to {team} by Bo", "message_type": 2, "created_at": 1767603800,
         "conversation_id": 21}
        for n, team in enumerate(("it", "delivery", "billing"))
    ]  # fmt: skip
    conversations = {"payload": [{"id": 21, "messages": [CHATWOOT_ASKED, *moved], "meta": {}}]}
    assert labels(read(conversations)) == {"I was charged twice": "billing"}
