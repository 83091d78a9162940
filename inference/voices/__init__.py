"""The cheaper voices beside the adapter: one file for each behind one port, fitted in seconds, stored without pickle.

A new voice is a file with a `voice.Voice`, and an entry here.
"""

from inference.voices.neighbours import NeighboursVoice
from inference.voices.vectors import VectorsVoice
from inference.voices.voice import Voice
from inference.voices.words import WordsVoice

VOICES: tuple[Voice, ...] = (WordsVoice(), VectorsVoice(), NeighboursVoice())
