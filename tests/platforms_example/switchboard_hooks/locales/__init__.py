"""Sentences that the bot says only on Hooks, in addition to those of every platform."""

from pathlib import Path

from bot.locales import Sentences

sentence = Sentences(Path(__file__).parent).sentence
