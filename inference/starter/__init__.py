"""The small Llama that makes a fresh clone work: how it was made, and its weights."""

from pathlib import Path

BASE = Path(__file__).parent / "base"  # an ordinary Hugging Face folder
