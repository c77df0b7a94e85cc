"""One OpenSearch node without the security plugin, and what tests ask of its indices."""

import uuid
from typing import Any, ClassVar

import urllib3
from opensearchpy import OpenSearch as Client
from tests.servers.java import JavaServer
from tests.servers.ports import free_port


class OpenSearch(JavaServer):
    """`heap`, `optimized`: see `JavaServer`."""

    name: ClassVar[str] = "opensearch"
    variable: ClassVar[str] = "TAILRACE_OPENSEARCH"
    usual_port: ClassVar[int] = 9200

    def __init__(
        self, *, given: str | None = None, heap: str = "512m", optimized: bool = False
    ) -> None:
        super().__init__(given=given, heap=heap, optimized=optimized)
        self._transport_port = 0
        self._client: Client | None = None

    @property
    def own_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        self.java()
        self._transport_port = free_port()

    def command(self) -> list[str]:
        ports = (str(self.port), str(self._transport_port))
        return [*self.java(), "OneNode", str(self.folder), *ports]

    def answers(self) -> bool:
        """Whether every index can be read and written."""
        asked = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s"
        try:
            answer = urllib3.request("GET", asked, timeout=2, retries=False)
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 200 and answer.json()["status"] != "red"

    @property
    def client(self) -> Client:
        if self._client is None:
            self._client = Client(self.url, timeout=10, max_retries=0)
        return self._client

    @staticmethod
    def fresh_index() -> str:
        """Return a name of an index, or its beginning, that no other test knows."""
        return f"index-{uuid.uuid4().hex[:12]}"

    def documents(self, index: str) -> dict[str, dict[str, Any]]:
        """Return all documents of indices (a pattern is allowed) by their id."""
        self.client.indices.refresh(index=index)
        found: dict[str, dict[str, Any]] = {}
        page = self.client.search(index=index, size=10_000, scroll="1m", sort="_doc")
        while hits := page["hits"]["hits"]:
            found |= {hit["_id"]: hit["_source"] for hit in hits}
            page = self.client.scroll(scroll_id=page["_scroll_id"], scroll="1m")
        self.client.clear_scroll(scroll_id=page["_scroll_id"])
        return found
