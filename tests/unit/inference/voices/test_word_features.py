"""The numbers that a voice computes for a text are those that scikit-learn would compute."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from inference.voices.voice import Lessons, Questions
from inference.voices.word_features import Features, table
from inference.voices.words import WordsModel, WordsVoice, _letters, _words

_LEARNED = (
    "My invoice is wrong, I was charged twice twice twice",
    "Where is my parcel? It should have come on Monday",
    "Não consigo entrar na minha conta, a senha não funciona",
    "¿Dónde está mi paquete? El envío llega tarde",
    "The C++ build fails with -20 €, see log.txt",
)
_ASKED = (
    *_LEARNED,
    "",
    "a",
    "charged charged CHARGED for a parcel that never came, twice",
    "パスワードを忘れました",
    "12 . 7",
    "\ud800 broken",
    "parcel\n\nparcel\tparcel   invoice",
)


def vectorizers() -> tuple[TfidfVectorizer, TfidfVectorizer]:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32)
    return words.fit(_LEARNED), letters.fit(_LEARNED)


def both_ways(texts: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
    """(by scikit-learn, by us)."""
    made = vectorizers()
    readers = [Features.of(one, list(one.get_feature_names_out()), np.asarray(one.idf_, np.float32)) for one in made]
    theirs = csr_matrix(hstack([one.transform(texts) for one in made]))  # type: ignore[no-untyped-call]
    return theirs, table(texts, readers)


@pytest.mark.parametrize("text", _ASKED)
def test_a_text_has_scikit_learns_numbers(text: str) -> None:
    theirs, ours = both_ways([text])

    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(ours.indices, theirs.indices)
    np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-6, atol=0)


def test_texts_asked_together_have_the_numbers_that_each_has_alone() -> None:
    together = both_ways(_ASKED)[1]

    alone = [both_ways([text])[1] for text in _ASKED]
    np.testing.assert_array_equal(together.indices, np.concatenate([one.indices for one in alone]))
    np.testing.assert_array_equal(together.data, np.concatenate([one.data for one in alone]))


def test_no_text_is_no_row() -> None:
    assert both_ways(["parcel"])[1].shape[0] == 1
    assert table([], [Features.of(vectorizers()[0], ["parcel"], np.ones(1, np.float32))]).shape == (0, 1)


def test_the_voice_of_words_says_what_it_said_with_scikit_learns_numbers() -> None:
    labels = ("billing", "delivery", "account", "delivery", "technical")
    nowhere = np.empty((len(labels), 0), np.float32)
    fitted = WordsVoice().fit(Lessons("1", "none", _LEARNED, _LEARNED, labels, nowhere))
    assert fitted is not None
    voice = fitted[0]
    assert isinstance(voice, WordsModel)

    said = voice.log_probabilities(Questions(_LEARNED, nowhere))

    features = csr_matrix(hstack([one.transform(_LEARNED) for one in sklearns(voice)]))  # type: ignore[no-untyped-call]
    np.testing.assert_allclose(said, voice.linear.log_probabilities(features), atol=1e-6)


def sklearns(voice: WordsModel) -> list[TfidfVectorizer]:
    """The vectorizers with which the voice learned, in their state at that time."""
    made = []
    for reader, known in ((_words(), voice.words), (_letters(), voice.letters)):
        reader.vocabulary = {feature: place for place, feature in enumerate(known.features)}
        reader.idf_ = known.rarity
        made.append(reader)
    return made
