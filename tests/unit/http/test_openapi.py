"""The API's document names the API's address, wherever it is served."""

from typing import cast
from urllib.parse import urljoin

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from bot.http.api import document


@pytest.mark.parametrize(
    ("served", "before", "root"),
    [("", "", "/"), ("", "/desk", "/desk/"), ("/workspaces/acme", "", "/workspaces/acme"),
     ("/workspaces/acme", "/desk", "/desk/workspaces/acme")],
)  # fmt: skip
def test_its_servers_hold_below_a_workspace_and_behind_a_proxy(served: str, before: str, root: str) -> None:
    route = Route("/api/openapi.json", document)
    app = Starlette(routes=[Mount(served, routes=[route])] if served else [route])
    told = TestClient(app).get(f"{served}/api/openapi.json").json()
    [server] = cast(list[dict[str, str]], told["servers"])
    assert (
        urljoin(f"https://bot.example{before}{served}/api/openapi.json", server["url"]) == f"https://bot.example{root}"
    )
