"""A file's content as it is read, for tests."""

from bot.domain.example_files.reading import Contents, ReadOptions, read_examples
from bot.domain.learning import Example
from tests.samples import NOW, TASK


def read(content: str | bytes, options: ReadOptions | None = None) -> Contents:
    """What the task of the samples reads from such a file."""
    data = content if isinstance(content, bytes) else content.encode()
    return read_examples(data, TASK, NOW, options or ReadOptions())


def pairs(contents: Contents) -> list[tuple[str, str]]:
    """(text, label) of every example."""
    return [(example.text, example.label) for _, example in contents.examples]


def problems(contents: Contents) -> list[str]:
    """The text of every problem."""
    return list(map(str, contents.bad))


def only(contents: Contents) -> Example:
    """The only example that was read, without a problem."""
    assert problems(contents) == []
    [(_, example)] = contents.examples
    return example
