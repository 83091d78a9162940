"""A base model's chat template, as the text before and the text after the user's words."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.domain.errors import Refused

_HERE = "\u2063here\u2063"
"""Stands for the user's words while the template is rendered; no template contains it."""
_TEMPLATE_DAY = datetime(2024, 7, 26, tzinfo=UTC)
"""The date given to templates that print one: a prompt that changes overnight is not the one that was trained on.

It is the day that Llama 3's own template falls back to.
"""
_MARKS = ("bos_token", "eos_token", "pad_token", "unk_token")


def chat_frame(folder: Path) -> tuple[str, str]:
    """The text before and after the user's words; the assistant's answer is the next token.

    A base without a chat template gets a plain frame. Raises Refused for a template that cannot be used.
    """
    config = _tokenizer_config(folder)
    marks = {name: _content(config.get(name)) for name in _MARKS}
    source = _source(folder, config)
    if source is None:
        return marks["bos_token"], "\n\nCode:\n"
    head, found, tail = _render(source, marks).partition(_HERE)
    if not found:
        raise Refused(f"the chat template in {folder} leaves out what the user says")
    return head, tail


def _render(source: str, marks: Mapping[str, str]) -> str:
    # The dialect in which Hugging Face renders chat templates: whitespace control on, sandboxed.
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _object
    environment.globals["strftime_now"] = _TEMPLATE_DAY.strftime
    environment.filters["tojson"] = json.dumps
    said = [{"role": "user", "content": _HERE}]
    try:
        return environment.from_string(source).render(
            messages=said, add_generation_prompt=True, enable_thinking=False, tools=None, documents=None, **marks
        )
    except jinja2.TemplateError as error:
        raise Refused(f"the base's chat template cannot be used: {error}") from error


def _object(message: str) -> None:
    raise jinja2.TemplateError(message)


def _source(folder: Path, config: Mapping[str, object]) -> str | None:
    """The default template, from the file of newer bases or the setting of older ones; None when there is none."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    match config.get("chat_template"):
        case str(source):
            return source
        case list(named):
            return next((str(one["template"]) for one in named if one.get("name") == "default"), None)
    return None


def _tokenizer_config(folder: Path) -> dict[str, object]:
    file = folder / "tokenizer_config.json"
    found: dict[str, object] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def _content(mark: object) -> str:
    match mark:
        case str(text):
            return text
        case {"content": str(text)}:
            return text
    return ""
