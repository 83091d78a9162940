"""Sentences that the bot says in Slack alone, one file per language, beside those of every platform."""

from pathlib import Path

from bot.locales import Sentences

sentence = Sentences(Path(__file__).parent).sentence
