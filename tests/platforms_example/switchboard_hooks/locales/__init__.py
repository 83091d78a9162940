"""Sentences that the bot says on Hooks alone, beside those of every platform."""

from pathlib import Path

from bot.locales import Sentences

sentence = Sentences(Path(__file__).parent).sentence
