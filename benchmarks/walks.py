"""Which files of ours a lead's reaction in Slack passes through, counted by running it.

    python -m benchmarks.walks

A reaction is put on a card at a local Slack that speaks the real protocol; it is heard by the real client, stored in a
real database, judged, and the cards are rewritten. Every file in which a function of ours was called meanwhile is
printed with how many of its functions were; what runs of itself all the time (connections, clocks) is left out by
running idle first.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import cast

from db.engine import open_database
from db.migrate import upgrade
from db.server.embedded import embedded
from tests.fakes import FakePlatform
from tests.integration.platforms.slack.parts import BILLING, HELP, IT, LEAD, TASK, WORDS, config, listening, speaking
from tests.servers.slack import SlackServer, User
from tests.worlds import both_platforms
from tests.worlds.story import Story

ROOT = Path(__file__).parents[1]
OURS = tuple(str(ROOT / name) + "/" for name in ("bot", "db", "inference"))
_IDLE_SECONDS = 2.0
_POOL = 20

Walk = dict[str, set[str]]
"""File -> functions that were called in it."""


@contextmanager
def watched() -> Iterator[Walk]:
    """Record which of our functions are called while the context lasts."""
    walk: Walk = defaultdict(set)

    def note(frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(OURS) and code.co_name != "<module>":
            walk[str(Path(code.co_filename).relative_to(ROOT))].add(code.co_qualname)

    sys.setprofile(note)
    try:
        yield walk
    finally:
        sys.setprofile(None)


@asynccontextmanager
async def town() -> AsyncIterator[tuple[SlackServer, Story]]:
    """A Slack with two teams, and everything between their channels and a database."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded(Path(folder) / "postgres") as url, SlackServer([HELP, BILLING, IT]) as server:
            await asyncio.to_thread(upgrade, url)
            server.add_user(User(id=LEAD, name="Lee"))
            async with open_database(url) as database, speaking(config(server)) as slack:
                story = Story(database, Path(folder), TASK, [cast(FakePlatform, slack)], vocabulary=WORDS)
                async with listening(server, slack, story.inbox):  # type: ignore[arg-type]
                    yield server, story


async def reacts() -> dict[str, Walk]:
    """Leg -> the files and functions between a lead's emoji and the rewritten cards."""
    async with town() as (server, story):
        await server.writes("U0ANN", HELP, "I was charged twice")
        await both_platforms.heard(server)
        await both_platforms.follows(story)
        [card] = [post for post in server.posts(BILLING) if post.thread_ts is None]
        # The pool's connections exist before recording begins: opening one is no part of the way
        await asyncio.gather(*(story.database.ping() for _ in range(_POOL)))
        with watched() as idle:
            await asyncio.sleep(_IDLE_SECONDS)
        with watched() as heard:
            await server.reacts(LEAD, BILLING, card.ts, TASK.label("it").emoji["slack"])
            await server.until(lambda: all(delivery.acked for delivery in server.deliveries))
        with watched() as judged:
            await story.corrector.step()
        with watched() as said:
            await story.courier.step()
        if not [post for post in server.posts(IT) if post.thread_ts is None]:
            raise SystemExit("the card did not move, so that nothing was measured")
    legs = {"heard": heard, "judged": judged, "said": said}
    return {
        leg: {file: new for file, names in walk.items() if (new := names - idle[file])} for leg, walk in legs.items()
    }


def main() -> None:
    """Print the files with how many of their functions were called, leg by leg, and how many files there are."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    legs = asyncio.run(reacts())
    for leg, walk in legs.items():
        print(f"{leg}: {len(walk)} files")
        for file, names in sorted(walk.items()):
            print(f"{len(names):4} {file}")
    print(f"{len(set().union(*legs.values()))} files in all")


if __name__ == "__main__":
    main()
