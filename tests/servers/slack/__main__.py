"""python -m tests.servers.slack --port 3100"""

from tests.servers.control import serve
from tests.servers.slack import SlackServer

serve(lambda port: SlackServer(port=port), 3100)
