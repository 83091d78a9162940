import json
import math

import httpx
import pytest

from bot.domain.errors import Refused, Unreachable
from inference.embedders.url import UrlEmbedder


def embedder(answer: httpx.Response | None = None) -> tuple[UrlEmbedder, list[list[str]]]:
    """An embedder whose server gives `answer`, or a vector of each text's length and 1; and what it was asked."""
    asked: list[list[str]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["input"])
        rows = [{"index": n, "embedding": [len(text), 1]} for n, text in enumerate(asked[-1])]
        return answer or httpx.Response(200, json={"data": rows[::-1]})

    line = httpx.AsyncClient(base_url="http://embed.test", transport=httpx.MockTransport(serve))
    return UrlEmbedder(line, "tiny"), asked


async def test_vectors_have_length_one_and_the_order_of_the_texts() -> None:
    embed, _ = embedder()
    vectors = await embed.embed(["abc", "", "a\x00b"])
    assert [round(vector[0] / vector[1]) for vector in vectors] == [3, 1, 2]
    assert all(math.isclose(math.hypot(*vector), 1.0) for vector in vectors)
    await embed.close()


async def test_many_texts_travel_in_batches() -> None:
    embed, asked = embedder()
    assert len(await embed.embed(["x"] * 70)) == 70
    assert [len(texts) for texts in asked] == [32, 32, 6]
    await embed.close()


async def test_long_text_keeps_its_head_and_its_tail() -> None:
    embed, asked = embedder()
    await embed.embed(["head " + "x" * 100_000 + " tail"])
    assert len(asked[0][0]) < 9_000
    assert asked[0][0].startswith("head")
    assert asked[0][0].endswith("tail")
    await embed.close()


@pytest.mark.parametrize(
    "body",
    [{}, [], {"data": []}, {"data": [{"index": 0}]}, {"data": [{"index": 0, "embedding": [0, 0]}]}, {"data": None}],
)
async def test_nonsense_counts_as_down(body: object) -> None:
    embed, _ = embedder(httpx.Response(200, json=body))
    with pytest.raises(Unreachable, match="nonsense"):
        await embed.embed(["hello"])
    await embed.close()


async def test_unknown_model_is_refused() -> None:
    embed, _ = embedder(httpx.Response(404, json={}))
    with pytest.raises(Refused, match="tiny"):
        await embed.embed(["hello"])
    await embed.close()
