"""The small Llama with which a fresh clone works: its weights, and how it was made."""

from pathlib import Path

BASE = Path(__file__).parent / "base"  # an ordinary Hugging Face folder
