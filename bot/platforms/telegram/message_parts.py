"""Which post a message of ours belongs to that came behind it: its attachments."""

from collections import OrderedDict

from bot.domain.messages import MessageRef

_MOST = 5_000


class MessageParts:
    """Remembers the newest of them while we run: whoever answers a picture under a card answers the card."""

    def __init__(self) -> None:
        self._wholes: OrderedDict[tuple[str, int], int] = OrderedDict()

    def add(self, chat: str, piece: int, whole: int) -> None:
        self._wholes[chat, piece] = whole
        while len(self._wholes) > _MOST:
            self._wholes.popitem(last=False)

    def whole(self, ref: MessageRef) -> MessageRef:
        """The post that this is a piece of; itself when it is none."""
        whole = self._wholes.get((ref.chat, int(ref.id)))
        return ref if whole is None else MessageRef(ref.platform, ref.chat, str(whole))
