"""Which embedder the settings name."""

from collections.abc import Callable, Mapping, Sequence

from bot.domain.embedders import MINILM, PAIR, USE
from bot.domain.model_ports import OpenEmbedder
from inference.embedders.minilm import minilm
from inference.embedders.pair import PairEmbedder
from inference.embedders.sentence_transformer import sentence_transformer
from inference.embedders.url import UrlEmbedder
from inference.embedders.use_multilingual import use_multilingual
from inference.http import open_line

BUNDLED = "bundled"
"""The default of what is included, by people's languages: MiniLM if that is English alone, else the pair."""


_MAKERS: Mapping[str, Callable[[], OpenEmbedder]] = {MINILM: minilm, USE: use_multilingual, PAIR: PairEmbedder}


def open_embedder(setting: str, languages: Sequence[str]) -> OpenEmbedder:
    """The embedder of `model.embedder`: "bundled", an included one, MODEL@URL, a Hugging Face id or a folder."""
    if "@http" in setting:
        model, _, url = setting.partition("@")
        return UrlEmbedder(open_line(url), model)
    if setting == BUNDLED:
        setting = MINILM if all(language.partition("-")[0] == "en" for language in languages) else PAIR
    make = _MAKERS.get(setting)
    return sentence_transformer(setting) if make is None else make()
