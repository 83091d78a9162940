"""The API's description as OpenAPI 3.1, for programs, and as a page, for people."""

from collections.abc import Mapping
from html import escape
from typing import TypeAlias

Json: TypeAlias = Mapping[str, object]
_TEXT: Json = {"type": "string"}
_ANSWERS: Mapping[str, str] = {
    "400": "No JSON object.",
    "401": "No token, or nobody's.",
    "403": "The token lacks the scope.",
    "404": "No request has such a message.",
    "413": "The request is too long.",
    "422": "A field is wrong; `error` says which, and what to send.",
    "503": "A part of the bot is away; try again later.",
}


def openapi(below: str = "") -> Json:
    """The document. `below`: the path under which everything is served, a workspace's `/NAME`; empty for the root.

    Its `servers` are relative to the document, so that they hold behind a proxy that adds paths of its own.
    """
    return {
        "openapi": "3.1.0",
        "servers": [{"url": "/".join([".."] * (1 + below.count("/"))) + below}],
        "info": {
            "title": "Switchboard",
            "version": "1",
            "description": "What would be decided about a text, which requests there are, and a lead's word.",
        },
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
        "paths": {
            "/api/route": {"post": _ROUTE},
            "/api/correct": {"post": _CORRECT},
            "/api/requests": {"get": _REQUESTS},
        },
    }


def _answers(done: str, says: str, *others: str) -> Json:
    refused = {code: {"description": _ANSWERS[code]} for code in ("401", "403", *others, "503")}
    return {done: {"description": says, "content": {"application/json": {"schema": {"type": "object"}}}}, **refused}


def _body(required: list[str], **properties: Json) -> Json:
    schema = {"type": "object", "required": required, "properties": properties, "additionalProperties": False}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _query(name: str, schema: Json, says: str) -> Json:
    return {"name": name, "in": "query", "schema": schema, "description": says}


_ROUTE: Json = {
    "summary": "What would be decided about a text. Nothing is stored. Scope: route.",
    "requestBody": _body(
        ["text"], text=_TEXT, task={"type": "string", "description": "By default the question that routes."}
    ),
    "responses": _answers("200", "The decision, as `switchboard route --json` writes it.", "400", "413", "422"),
}
_CORRECT: Json = {
    "summary": "A lead's word: this request belongs to that team. It moves and teaches, like an emoji. Scope: correct.",
    "requestBody": _body(
        ["platform", "chat", "message", "label"],
        platform=_TEXT,
        chat=_TEXT,
        message={"type": "string", "description": "Any message of the request; `source` of /api/requests has one."},
        label={"type": "string", "description": "The team's name in the settings."},
        withdraw={"type": "boolean", "description": "Take this word back; the request returns to where it was."},
    ),
    "responses": _answers("202", "Stored; the request moves within a second.", "400", "404", "413", "422"),
}
_REQUESTS: Json = {
    "summary": "Requests, newest first. Scope: read; with texts, how each begins, too.",
    "parameters": [
        _query("state", {"enum": ["open", "closed", "all"], "default": "open"}, "Which."),
        _query("label", _TEXT, "Those of that team alone."),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "So many at most."),
        _query("before", {"type": "integer"}, "Those before that conversation: `before` of the page before."),
    ],
    "responses": _answers("200", "`requests`, and `before` where there may be more.", "422"),
}


def _page() -> str:
    paths = openapi()["paths"]
    rows: list[str] = []
    if isinstance(paths, Mapping):
        for path, methods in paths.items():
            for method, about in methods.items():
                rows.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(about['summary'])}</p>")
    return (
        "<!doctype html><meta charset=utf-8><title>Switchboard API</title><h1>Switchboard API</h1>"
        "<p>Send <code>Authorization: Bearer sb_…</code>. For programs: "
        f'<a href="api/openapi.json">openapi.json</a>.</p>{"".join(rows)}'
    )


PAGE = _page()
