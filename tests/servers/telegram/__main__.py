"""python -m tests.servers.telegram --port 8181"""

from tests.servers.control import serve
from tests.servers.telegram import TelegramServer

serve(lambda port: TelegramServer(port=port), 8181)
