"""Calls the rehearsed shop over a real socket, as an app does."""

from typing import Any

import httpx

from connectors.shopify.simulator import App, Server

CREDENTIALS = {"client_id": "orderhub", "client_secret": "hush", "grant_type": "client_credentials"}


class Caller:
    """An app with a token of the shop."""

    def __init__(self, app: App, server: Server) -> None:
        self.app = app
        self.url = server.url
        self.client = httpx.Client(base_url=server.url, timeout=10)
        granted = self.client.post("/admin/oauth/access_token", json=CREDENTIALS).json()
        self.client.headers["X-Shopify-Access-Token"] = granted["access_token"]

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def post(self, document: str, /, version: str = "2026-10", **variables: Any) -> httpx.Response:
        return self.client.post(f"/admin/api/{version}/graphql.json", json={"query": document, "variables": variables})

    def ask(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer: dict[str, Any] = self.post(document, **variables).json()
        assert "errors" not in answer, answer["errors"]
        return dict(answer["data"])

    def walk(self, root: str, document: str, /, **variables: Any) -> list[dict[str, Any]]:
        """Every node of a connection, page by page."""
        found: list[dict[str, Any]] = []
        after = None
        while True:
            answer: dict[str, Any] = self.post(document, after=after, **variables).json()
            if [each["extensions"]["code"] for each in answer.get("errors", ())] == ["THROTTLED"]:
                continue
            assert "errors" not in answer, answer["errors"]
            page = answer["data"][root]
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]
