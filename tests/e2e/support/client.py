"""HTTP to Postroom and to the simulators: one request, one answer, no surprises."""

import http.client
import json


class Answer:
    """status, headers (case-insensitive), value: decoded JSON, else text."""

    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        raw = response.read()
        self.value = json.loads(raw) if raw and "json" in (response.headers.get("Content-Type") or "") else raw.decode("utf-8", "replace")

    @property
    def data(self):
        """What a good answer carries."""
        if self.status >= 300:
            raise AssertionError(f"{self.status}: {self.value}")
        return self.value["data"] if isinstance(self.value, dict) and "data" in self.value else self.value

    def __repr__(self):
        return f"<{self.status} {self.value}>"


def call(port, method, path, body=None, headers=None, timeout=15):
    """Raises OSError or http.client.HTTPException when there is no answer. A dict or list is sent as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, body, headers)
        return Answer(connection.getresponse())
    finally:
        connection.close()
