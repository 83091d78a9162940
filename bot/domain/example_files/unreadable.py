"""Recognises files without readable rows by their first bytes, and names the remedy."""

_KINDS = (
    (b"%PDF", "a PDF", "export the table behind it as CSV"),
    (b"PAR1", "a Parquet file", "write it as CSV or JSON lines (pandas: read_parquet, then to_json(lines=True))"),
    (b"ARROW1", "an Arrow file", "write it as CSV or JSON lines"),
    (b"SQLite format 3", "a SQLite database", "export its table as CSV (sqlite3 -csv -header)"),
    (b"PGDMP", "a database backup", "bring it back with `switchboard restore`"),
    (b"\x80\x04\x95", "a Python pickle", "write it as CSV or JSON lines"),
    (b"\x80\x05\x95", "a Python pickle", "write it as CSV or JSON lines"),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", "unpack it first (zstd -d)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x89PNG", "a picture", "export the table behind it as CSV"),
    (b"\xff\xd8\xff", "a picture", "export the table behind it as CSV"),
    (b"{\\rtf", "an RTF document", "save it as CSV"),
    (b"<!doctype html", "a web page", "it may be the login page instead of the file: download it again"),
    (b"<html", "a web page", "it may be the login page instead of the file: download it again"),
    (b"<?xml", "XML", "export it as CSV or JSON lines"),
)


def unreadable(data: bytes) -> str:
    """What the file is instead, and the remedy; empty if it may be text."""
    begin = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    for first, kind, help in _KINDS:
        if begin.lower().startswith(first.lower()):
            return f"this is {kind}; {help}"
    return ""
