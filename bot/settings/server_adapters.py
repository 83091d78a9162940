"""`model.server_adapters`: how adapters reach an external model server."""

from collections.abc import Callable

from bot.domain.model_ports import FETCH, SAME
from bot.settings.values import Table, Values

ADAPTERS = "model.server_adapters"
_VARIABLE = "SWITCHBOARD_ADAPTER_TOKEN"


def read_server_adapters(
    values: Values, table: Table, elsewhere: bool, secret: Callable[[str, str], str]
) -> tuple[str, str]:
    """The way, and the token for fetching; `elsewhere`: the server is not our own."""
    way = values.text(table, "server_adapters", SAME, "model.")
    if way not in (SAME, FETCH) and not way.startswith("/"):
        values.mistake(
            f'model.server_adapters: {way!r} is no way; write "{SAME}", "{FETCH}", or the folder, from / on, that the '
            "model server sees model.runs as"
        )
        return SAME, ""
    if way != SAME and not elsewhere:
        values.mistake("model.server_adapters: our own server sees our folders; leave it out, or name a model.server")
        return SAME, ""
    token = secret(_VARIABLE, ADAPTERS) if way == FETCH else ""
    if way == FETCH and not token:
        values.secret_mistake(
            ADAPTERS,
            f'{_VARIABLE}: missing; with model.server_adapters = "{FETCH}" it is what the model server shows us',
        )
    return way.rstrip("/") or "/", token
