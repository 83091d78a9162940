"""Base models: from the name in the settings to the folder that everything else reads."""

import json
from pathlib import Path

from bot.domain.errors import UsageError

STARTER = Path(__file__).parent / "starter" / "base"
LONGEST_PROMPT = 8_192
"""The most positions used of a base that has more: a list of labels is short, and the server reserves memory for
all."""
_TOKENIZER_FILES = ("config.json", "tokenizer*", "special_tokens_map.json", "chat_template*")
_WEIGHT_FILES = ("*.safetensors", "*.safetensors.index.json", "generation_config.json")


def base_folder(base: str, weights: bool = True) -> Path:
    """The folder of a base: `starter`, a folder, or a Hugging Face id, which is downloaded once.

    Blocks while it downloads. Without `weights` only what a tokenizer needs is fetched. Raises UsageError.
    """
    if base == "starter":
        return _complete(STARTER, base)
    if Path(base).is_dir():
        return _complete(Path(base).resolve(), base)
    return _complete(_download(base, weights), base)


def positions(folder: Path) -> int:
    """The most tokens that a prompt and its answer may have together."""
    longest = _config(folder).get("max_position_embeddings")
    return min(longest or LONGEST_PROMPT, LONGEST_PROMPT)


def linear_shapes(folder: Path) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of the projections of a Llama's layers, by name."""
    config = _config(folder)
    width, inner, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    size = config.get("head_dim") or width // heads
    queries, keys = heads * size, (config.get("num_key_value_heads") or heads) * size
    return {
        "q_proj": (width, queries),
        "k_proj": (width, keys),
        "v_proj": (width, keys),
        "o_proj": (queries, width),
        "gate_proj": (width, inner),
        "up_proj": (width, inner),
        "down_proj": (inner, width),
    }


def _config(folder: Path) -> dict[str, int]:
    config: dict[str, int] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def _complete(folder: Path, base: str) -> Path:
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"model.base: {base!r} has no {' and no '.join(missing)} in {folder}")
    return folder


def _download(base: str, weights: bool) -> Path:
    from huggingface_hub import snapshot_download  # slow to import, and most installations never need it
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = _TOKENIZER_FILES + (_WEIGHT_FILES if weights else ())
    try:
        return Path(snapshot_download(base, allow_patterns=list(wanted)))
    except HFValidationError as error:
        raise UsageError(f"model.base: {base!r} is neither `starter`, nor a folder, nor a Hugging Face id") from error
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        reason = type(error).__name__
        raise UsageError(f"model.base: {base!r} could not be fetched from Hugging Face ({reason})") from error
