"""Characters that command a terminal or reverse its text, written out so that they do neither."""

from bot.domain.control_characters import written_out


def harmless(words: str) -> str:
    """The words, with these characters as Python writes them; line ends and tabs stay."""
    return written_out(words, lambda sign: sign.encode("unicode_escape").decode())
