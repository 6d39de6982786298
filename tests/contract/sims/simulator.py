"""A running simulator for the tests of this folder, and a client that sees every byte."""

import base64
import http.client
import json
import pathlib
import subprocess
import sys
import tempfile

SIMS = pathlib.Path(__file__).resolve().parents[2] / "sims"
MARKER = "11111111-2222-4333-8444-555555555555.66666666-7777-4888-9999-000000000000"


def basic(account="bot@example.test", secret="jira-secret"):
    return {"Authorization": "Basic " + base64.b64encode(f"{account}:{secret}".encode()).decode()}


class Simulator:
    """Starts the program on a free port with a log and a state file in a private folder."""

    def __init__(self, program, *options, folder=None):
        self.folder = folder or tempfile.TemporaryDirectory(prefix="postroom-sim-")
        self.log_path, self.state_path = pathlib.Path(self.folder.name) / "log", pathlib.Path(self.folder.name) / "state"
        self.process = subprocess.Popen([sys.executable, "-B", str(SIMS / program), "--log", str(self.log_path), "--state", str(self.state_path), *options],
                                        stdout=subprocess.PIPE, text=True)
        self.ports = [int(port) for port in self.process.stdout.readline().split()[2:]]
        self.port = self.ports[0]

    def call(self, method, path, body=None, headers=None, port=None, timeout=10):
        """(status, headers, value): the value is decoded JSON, else text. Raises what http.client raises when there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            raw = response.read().decode()
            return response.status, response.headers, json.loads(raw) if "json" in response.headers.get("Content-Type", "") else raw
        finally:
            connection.close()

    def control(self, name, value):
        status, _, answer = self.call("POST", f"/_sim/{name}", value)
        assert status == 200, answer

    def objects(self, full=False):
        return self.call("GET", "/_sim/objects" + ("?full=1" if full else ""))[2]["objects"]

    def log(self):
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def close(self):
        self.kill()
        self.folder.cleanup()
