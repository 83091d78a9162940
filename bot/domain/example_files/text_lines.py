"""A text's lines, cut where a file's lines end and nowhere else."""

import io
from collections.abc import Iterator


def text_lines(text: str) -> Iterator[str]:
    """Lines with their ends: after LF, CR, and CR LF. Unicode's other separators are part of what people write."""
    return iter(io.StringIO(text, newline=""))
