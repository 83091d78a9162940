"""Sentences for the local chat alone, one file per language, in addition to those of all platforms."""

from pathlib import Path

from bot.locales import Sentences

sentence = Sentences(Path(__file__).parent).sentence
