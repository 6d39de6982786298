"""Every way in which the simulators misbehave, and that the log tells the truth about it."""

import http.client
import json
import socket
import ssl
import subprocess
import time
import unittest
from email.utils import parsedate_to_datetime

from jira_test import issue
from simulator import MARKER, Simulator, basic

CREATE = {"method": "POST", "path_prefix": "/rest/api/3/issue"}
NO_ANSWER = (ConnectionResetError, http.client.RemoteDisconnected, BrokenPipeError)


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Simulator("jira.py")

    @classmethod
    def tearDownClass(cls):
        cls.sim.close()

    def setUp(self):
        self.sim.control("reset", {})
        self.already_logged = len(self.sim.log())

    def rule(self, action, **arguments):
        self.sim.control("rules", [{"match": CREATE, "action": action, **arguments}])

    def create(self, timeout=10):
        return self.sim.call("POST", "/rest/api/3/issue", issue(), basic(), timeout=timeout)

    def lines(self, count):
        """The lines of this test; waits until there are `count`."""
        deadline = time.monotonic() + 5
        while len(lines := self.sim.log()[self.already_logged:]) < count:
            self.assertLess(time.monotonic(), deadline, lines)
        return lines

    def raw(self):
        """A connection on which a create was sent whole."""
        body = json.dumps(issue()).encode()
        head = "".join(f"{n}: {v}\r\n" for n, v in {"Host": "x", "Content-Length": len(body), **basic()}.items())
        sock = socket.create_connection(("127.0.0.1", self.sim.port), timeout=5)
        sock.sendall(f"POST /rest/api/3/issue HTTP/1.1\r\n{head}\r\n".encode() + body)
        return sock

    def test_a_plain_create_is_logged_before_its_answer(self):
        key = self.create()[2]["key"]
        line = self.lines(1)[0]
        self.assertEqual((line["marker"], line["committed"], line["status"], line["fault"], line["complete"], line["late"]), (MARKER, key, 201, None, True, False))
        self.assertLess(abs(line["t"] - time.monotonic()), 5)

    def test_statuses_do_not_execute(self):
        for status in (500, 502, 503, 504, 401, 403):
            self.rule("status", status=status)
            self.assertEqual(self.create()[0], status)
        self.assertEqual(self.sim.objects(), [])
        self.assertEqual({(line["fault"], line["committed"]) for line in self.lines(6)}, {("status", None)})

    def test_429_in_every_form(self):
        self.rule("status", status=429, retry_after_s=7, reason="jira-burst-based")
        status, headers, answer = self.create()
        self.assertEqual((status, headers["Retry-After"], headers["RateLimit-Reason"], answer["errorMessages"]), (429, "7", "jira-burst-based", ["Rate limit exceeded."]))
        self.rule("status", status=429, retry_after_date_s=30)
        self.assertLess(abs(parsedate_to_datetime(self.create()[1]["Retry-After"]).timestamp() - time.time() - 30), 3)
        self.rule("status", status=429)
        self.assertIsNone(self.create()[1]["Retry-After"])
        self.rule("status", status=429, reset_in_s=60)
        self.assertRegex(self.create()[1]["X-RateLimit-Reset"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.rule("html", status=429)
        status, headers, answer = self.create()
        self.assertEqual((status, headers["Content-Type"].split(";")[0], answer[:15]), (429, "text/html", "<!DOCTYPE html>"))
        self.rule("status", status=429, body_kind="empty")
        self.assertEqual(self.create()[2], "")
        self.rule("status", status=429, headers={"X-RateLimit-NearLimit": "true"}, body="{}")
        self.assertEqual((self.create()[1]["X-RateLimit-NearLimit"], self.sim.objects()), ("true", []))

    def test_html_with_200_after_the_commit_is_an_answer_nobody_can_parse(self):
        self.rule("html", status=200, commit=True)
        status, _, answer = self.create()
        self.assertEqual((status, answer[0], len(self.sim.objects())), (200, "<", 1))
        self.assertTrue(self.lines(1)[0]["committed"])

    def test_hang(self):
        self.rule("hang")
        with self.assertRaises(TimeoutError):
            self.create(timeout=0.3)
        line = self.lines(1)[0]
        self.assertEqual((line["status"], line["committed"], line["fault"], self.sim.objects()), (None, None, "hang", []))

    def test_drip_executes_and_answers_slowly(self):
        self.rule("drip", chunk=50, interval_ms=20)
        started = time.monotonic()
        self.assertEqual(self.create()[0], 201)
        self.assertGreater(time.monotonic() - started, 0.1)
        self.rule("drip", interval_ms=1000)
        with self.assertRaises(TimeoutError):
            self.create(timeout=0.3)
        self.assertEqual(len(self.sim.objects()), 2)

    def test_reset_before_the_body(self):
        self.rule("reset_before")
        with self.assertRaises(NO_ANSWER):
            self.create()
        line = self.lines(1)[0]
        self.assertEqual((line["status"], line["fault"], line["complete"], self.sim.objects()), (None, "reset_before", False, []))

    def test_drop_before_commit(self):
        for how in ("rst", "fin"):
            self.rule("drop_before_commit", how=how)
            with self.assertRaises(NO_ANSWER):
                self.create()
        self.assertEqual(self.sim.objects(), [])

    def test_commit_then_drop(self):
        self.rule("commit_then_drop", how="rst")
        with self.assertRaises(ConnectionResetError), self.raw() as sock:
            sock.recv(1)
        self.rule("commit_then_drop", how="fin")
        with self.raw() as sock:
            self.assertEqual(sock.recv(1), b"")
        self.rule("commit_then_drop", how="status")
        self.assertEqual(self.create()[0], 504)
        self.assertEqual([(bool(line["committed"]), line["status"]) for line in self.lines(3)], [(True, None), (True, None), (True, 504)])
        self.assertEqual(len(self.sim.objects()), 3)

    def test_late_commit(self):
        self.rule("late_commit", how="rst", after_ms=200)
        with self.assertRaises(NO_ANSWER):
            self.create()
        self.assertEqual(self.sim.objects(), [])
        first, second = self.lines(2)
        self.assertEqual((first["committed"], first["late"], second["late"], second["marker"]), (None, False, True, MARKER))
        self.assertGreater(second["logged"] - first["logged"], 0.15)
        self.assertEqual(second["committed"], self.sim.objects()[0]["key"])
        self.rule("late_commit", how="hang", after_ms=100)
        with self.assertRaises(TimeoutError):
            self.create(timeout=0.2)
        self.assertEqual(len(self.sim.objects()), 1)
        self.lines(4)
        self.rule("late_commit", how="status", after_ms=1)
        self.assertEqual(self.create()[0], 504)
        self.lines(6)
        self.assertEqual(len(self.sim.objects()), 3)

    def test_a_client_that_dies_while_it_waits_gets_its_issue_all_the_same(self):
        self.sim.control("rules", [{"match": CREATE, "action": "latency", "before_ms": 150}])
        self.raw().close()
        self.assertTrue(self.lines(1)[0]["committed"])

    def test_hold_shows_who_waits_and_lets_go(self):
        for at, state in (("before", "arrived"), ("after", "committed")):
            self.rule("hold", at=at)
            sock, seen = self.raw(), []
            deadline = time.monotonic() + 5
            while not seen:
                self.assertLess(time.monotonic(), deadline)
                seen = self.sim.call("GET", "/_sim/open")[2]["open"]
            self.assertEqual((seen[0]["marker"], seen[0]["state"]), (MARKER, state))
            self.sim.control("release", {})
            self.assertIn(b"201 Created", sock.recv(65536))
            sock.close()

    def test_a_half_request_is_logged_as_incomplete(self):
        sock = socket.create_connection(("127.0.0.1", self.sim.port))
        sock.sendall(b"POST /rest/api/3/issue HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{" + MARKER.encode())
        sock.close()
        line = self.lines(1)[0]
        self.assertEqual((line["fault"], line["complete"], line["marker"]), ("incomplete", False, MARKER))

    def test_times_after_contains_and_chance(self):
        self.rule("status", status=503, times=2, after=1)
        self.assertEqual([self.create()[0] for _ in range(4)], [201, 503, 503, 201])
        self.sim.control("rules", [{"match": {"contains": "no such words"}, "action": "status", "status": 503}])
        self.assertEqual(self.create()[0], 201)
        self.sim.control("rules", [{"match": {"contains": MARKER}, "action": "status", "status": 503}])
        self.assertEqual(self.create()[0], 503)
        self.rule("status", status=503, probability=0.5)
        self.assertEqual({self.create()[0] for _ in range(30)}, {201, 503})

    def test_latency_adds_up_and_does_not_end_the_search(self):
        self.sim.control("rules", [{"action": "latency", "ms": 60}, {"action": "latency", "before_ms": 60}, {"action": "status", "status": 503}])
        started = time.monotonic()
        self.assertEqual(self.create()[0], 503)
        self.assertGreater(time.monotonic() - started, 0.06)

    def test_a_rule_with_a_typo_is_refused(self):
        for rules in ([{"action": "explode"}], [{"action": "status"}], [{"action": "hang", "tiems": 1}], {"action": "hang"}, [{"action": "hang", "match": {"verb": "POST"}}]):
            self.assertEqual(self.sim.call("POST", "/_sim/rules", rules)[0], 400, rules)
        self.assertEqual(self.sim.call("POST", "/_sim/settings", {"lag": 1})[0], 400)

    def test_keep_alive_chunked_and_close(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port)
        for _ in range(2):
            connection.request("POST", "/rest/api/3/issue", iter([json.dumps(issue()).encode()]), basic(), encode_chunked=True)
            self.assertEqual(json.loads(connection.getresponse().read())["key"][:4], "SUP-")
        connection.close()
        self.assertEqual(len({line["connection"] for line in self.lines(2)}), 1)
        self.assertEqual(self.sim.call("GET", "/rest/api/3/myself", headers=basic() | {"Connection": "close"})[1]["Connection"], "close")

    def test_tls(self):
        folder = self.sim.folder.name
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{folder}/key", "-out", f"{folder}/cert",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        sim = Simulator("jira.py", "--tls", f"{folder}/cert", f"{folder}/key")
        connection = http.client.HTTPSConnection("localhost", sim.port, context=ssl.create_default_context(cafile=f"{folder}/cert"))
        connection.request("GET", "/rest/api/3/myself", headers=basic())
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        sim.close()


if __name__ == "__main__":
    unittest.main()
