"""HTTP to Postroom and to the simulators: one request, one answer, no surprises; and the patience that the README asks of clients."""

import http.client
import json
import time

NO_ANSWER = (OSError, http.client.HTTPException)
PATIENCE_SECONDS = 60  # for whatever must happen: waiting ends as soon as it does, so only a failure takes that long


class Answer:
    """status, headers (case-insensitive), value: decoded JSON, else text."""

    def __init__(self, status, headers, value):
        self.status, self.headers, self.value = status, headers, value

    @property
    def data(self):
        """What a good answer carries."""
        if self.status >= 300:
            raise AssertionError(f"{self.status}: {self.value}")
        return self.value["data"] if isinstance(self.value, dict) and "data" in self.value else self.value

    def __repr__(self):
        return f"<{self.status} {self.value}>"


def call(port, method, path, body=None, headers=None, timeout=30):
    """Raises NO_ANSWER when there is none. A dict or list is sent as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        raw = response.read()
        is_json = raw and "json" in (response.headers.get("Content-Type") or "")
        return Answer(response.status, response.headers, json.loads(raw) if is_json else raw.decode("utf-8", "replace"))
    finally:
        connection.close()


def patiently(ask, patience=PATIENCE_SECONDS):
    """Asks until the answer is not 503 with Retry-After, and returns it; when patience ends, the last answer, or the exception of the last try.

    What is asked must be the same each time, a change with the same Idempotency-Key: a 503 and a cut connection say "not promised, may still happen".
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            answer = ask()
            if answer.status != 503 or "Retry-After" not in answer.headers or time.monotonic() > deadline:
                return answer
        except NO_ANSWER:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)
