"""`model.server`: our own model server, an external one, or several external ones that serve the same model."""

from bot.settings.values import Table, Values

EMBEDDED = "embedded"
_ADDRESSES = ("http://", "https://", "unix:/")


def read_servers(values: Values, table: Table) -> tuple[str, tuple[str, ...]]:
    """The server, and the further ones; "embedded" where we start our own."""
    written: tuple[str, ...] = (EMBEDDED,)
    if isinstance(table.get("server"), list):
        written = values.texts(table, "server", (), "model.") or ("",)
    else:
        written = (values.text(table, "server", EMBEDDED, "model."),)
    addresses = tuple(one.rstrip("/") for one in written)
    if addresses == (EMBEDDED,):
        return EMBEDDED, ()
    for one in addresses:
        if not one.startswith(_ADDRESSES):
            values.mistake(
                f'model.server: {one!r} is no address; write "{EMBEDDED}", the http://… URL or unix:/… socket of a '
                "vLLM server, or a list of such addresses"
            )
    if len(set(addresses)) < len(addresses):
        values.mistake("model.server: the same address twice; name each server once")
    return addresses[0], addresses[1:]
