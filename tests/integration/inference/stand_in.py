"""A process that looks like a vLLM server from outside: `stand_in.py SOCKET SERVED ROOT MOOD`.

Moods: `well`; `slow` (takes seconds for the list of models, like a busy server); `broken` (dies at once, with the
reason); `deaf` (ignores SIGTERM and has a child that keeps running).
"""

import json
import signal
import socketserver
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler

SOCKET, SERVED, ROOT, MOOD = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4]


class Server(BaseHTTPRequestHandler):
    """Health and the list of models."""

    def do_GET(self) -> None:
        if MOOD == "slow" and self.path == "/v1/models":
            time.sleep(4)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"data": [{"id": SERVED, "root": ROOT, "parent": None}]}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class Listening(socketserver.ThreadingUnixStreamServer):
    """An HTTP server on a socket of the file system."""


if MOOD == "broken":
    print("Traceback (most recent call last):\nValueError: there is not enough memory\nbye")  # noqa: T201
    sys.exit(3)
if MOOD == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", f"import time; time.sleep(600)  # child of {SOCKET}"])
Listening(SOCKET, Server).serve_forever()
