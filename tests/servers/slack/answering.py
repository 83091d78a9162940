"""Answer addresses (response_url): each is valid for a few answers, for the person who pressed or typed."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.servers.slack.state import Post, SlackError, Workspace
from tests.servers.wire import Args, items, truth, word

USES = 5


@dataclass(slots=True)
class _Address:
    post: Post
    user: str
    uses: int = USES


class Answers:
    """Gives out addresses and takes answers. `url()` is the server's own."""

    def __init__(self, space: Workspace, url: Callable[[], str]) -> None:
        self._space = space
        self._url = url
        self._given: dict[str, _Address] = {}

    def address(self, post: Post, user: str) -> tuple[str, str]:
        """(key, address) for an answer about that message, to that person."""
        key = f"{len(self._given) + 1}"
        self._given[key] = _Address(post, user)
        return key, f"{self._url()}/answer/{key}"

    def take(self, key: str, args: Args) -> None:
        """Replace or delete what was pressed, or post a message. Raises SlackError("used_url") after five times."""
        given = self._given[key]
        if given.uses <= 0:
            raise SlackError("used_url")
        given.uses -= 1
        post, text, blocks = given.post, word(args, "text"), tuple(items(args, "blocks"))
        kept = self._space.ephemerals if post.seen_by else self._space.posts
        if truth(args, "delete_original"):
            kept.pop((post.channel, post.ts), None)
        elif truth(args, "replace_original") and (post.channel, post.ts) in kept:
            kept[post.channel, post.ts] = replace(post, text=text, blocks=blocks, edits=(*post.edits, post))
        else:
            ts = self._space.new_ts(post.channel)
            said = replace(post, ts=ts, text=text, blocks=blocks, seen_by=given.user, edits=())
            self._space.ephemerals[said.channel, said.ts] = said
