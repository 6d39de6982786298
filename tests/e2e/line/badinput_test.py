"""Bad input against a running set: every 4xx names the place, an absent or blocked broker is a 503 within a second, a wrong far side is a clear answer, and a
message nobody understands is shelved byte for byte."""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from client import call  # noqa: E402
from sims import JIRA_ACCOUNT, JIRA_SECRET, TRELLO_SECRET, Sim  # noqa: E402
from suite import RoomTest, first_kept, run_suite  # noqa: E402


def certificate(folder, name):
    """A self-signed certificate for 127.0.0.1; paths of it and of its key."""
    paths = f"{folder}/{name}.pem", f"{folder}/{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-out", paths[0], "-keyout", paths[1], "-days", "2",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return paths


class BadInput(RoomTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="postroom-certificates-")
        cls.addClassCleanup(folder.cleanup)
        cls.trusted, cls.strange = certificate(folder.name, "trusted"), certificate(folder.name, "strange")
        cls.room_arguments = {"settings": {("outbound", "ca_file"): cls.trusted[0]}}
        super().setUpClass()
        cls.desk = cls.room.board("Desk")

    def problem(self, answer, status, slug=None, pointer=None):
        """Checks a problem+json answer and returns it."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/problem+json")
        self.assertTrue(answer.value["title"] and answer.value["type"].startswith("urn:postroom:problem:"), answer)
        self.assertEqual(answer.value["status"], status)
        if slug:
            self.assertEqual(answer.value["type"], f"urn:postroom:problem:{slug}")
        if pointer is not None:
            self.assertIn(pointer, [error["pointer"] for error in answer.value.get("errors", [])], answer)
        return answer

    # --- what callers send ---

    def post(self, body, headers=None, board=None):
        return self.room.http("POST", f"/v1/boards/{board or self.desk}/tickets", body, headers, token=False)

    def test_wrong_json(self):
        for body in ("{", "", "[1,", '{"title": "a"} x', '{"title": "\udcff"}'.encode("utf-8", "surrogateescape"), "[" * 5000, '{"title": 1e400}', "null", "[]", '"title"'):
            self.problem(self.post(body, {"Content-Type": "application/json"}), 400)

    def test_unknown_member_wrong_type_missing_and_too_long(self):
        for body, pointer in (({"title": "a", "zebra": 1}, "/zebra"), ({"title": 5}, "/title"), ({"title": None}, "/title"), ({"title": "a", "priority": "mild"}, "/priority"),
                              ({"title": "a", "creator_email": "no address"}, "/creator_email"), ({"title": "a", "creator_email": "a@b@c"}, "/creator_email"),
                              ({"title": "a", "description": ["x"]}, "/description"), ({"title": ""}, "/title"), ({"title": "x" * 100_000}, "/title")):
            answer = self.post(body)
            self.assertIn(answer.status, (400, 422), answer)
            self.problem(answer, answer.status, pointer=pointer)
        answer = self.post({"description": "no title"})
        self.assertIn(answer.status, (400, 422))
        self.assertIn("title", json.dumps(answer.value))

    def test_unknown_and_closed_boards(self):
        self.problem(self.post({"title": "a"}, board=str(uuid.uuid4())), 404)
        self.problem(self.post({"title": "a"}, board="no-uuid"), 404)
        closed = self.room.board("Closed")
        self.assertEqual(self.room.change("PATCH", f"/v1/boards/{closed}", {"state": "archived"}).status, 200)
        self.problem(self.post({"title": "a"}, board=closed), 409, "board-archived")

    def test_oversize_body(self):
        self.problem(self.post({"title": "a", "description": "x" * (1 << 20)}), 413)

    def test_wrong_content_type(self):
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
            self.problem(self.post('{"title": "a"}', {"Content-Type": kind}), 415)

    def test_wrong_token(self):
        private = self.room.board("Private", is_public=False)
        self.problem(self.post({"title": "a"}, board=private), 401)
        for header in ("Bearer prt_" + "x" * 43, "Bearer", "Basic eDp5", f"Bearer {self.room.token}x", ""):
            for path in ("/v1/boards", "/v1/standby", "/v1/connections", "/v1/tickets", "/v1/balance"):
                answer = self.room.http("GET", path, headers={"Authorization": header}, token=False)
                self.assertIn("WWW-Authenticate", answer.headers)
                self.problem(answer, 401)

    def test_idempotency_key(self):
        for key in ("x" * 256, "a\tb", "ä"):
            try:
                self.problem(self.post({"title": "a"}, {"Idempotency-Key": key.encode()}), 400)
            except ValueError:
                pass  # http.client itself refuses to send it

    def test_unknown_paths_and_verbs(self):
        self.problem(self.room.http("GET", "/v1/nothing"), 404)
        answer = self.problem(self.room.http("DELETE", "/v1/boards"), 405)
        self.assertIn("Allow", answer.headers)

    def test_a_board_for_a_far_side_that_does_not_exist(self):
        target = {"kind": "jira", "connection_id": str(uuid.uuid4()), "jira": {"project_key": "SUP", "issue_type": "Task"}}
        answer = self.room.promised("POST", "/v1/boards", {"name": "Nowhere", "target": target}, {"Prefer": "wait=60"}, timeout=70)
        self.assertIn(answer.status, (400, 404, 409, 422), answer)
        self.problem(answer, answer.status)

    # --- the broker ---

    def refused_in_seconds(self):
        """The slowest of three posts, all of which must be refused."""
        slowest = 0
        for _ in range(3):
            started = time.monotonic()
            answer = self.post({"title": "While the broker is away"})
            slowest = max(slowest, time.monotonic() - started)
            self.problem(answer, 503)
            self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        return f"refused after {slowest:.2f} s" if slowest > 1.3 else None

    def test_a_blocked_broker_is_a_503_within_a_second(self):
        def judge(_):
            self.room.rabbit.block()
            try:
                # The alarm reaches a publisher when it next publishes: the first may wait its whole second.
                return self.refused_in_seconds()
            finally:
                self.room.rabbit.unblock()
                self.room.until(lambda: self.post({"title": "Unblocked"}).status == 202, "a 202 after the alarm")

        first_kept(judge)

    def test_an_absent_broker_is_a_503_within_a_second(self):
        def judge(_):
            self.room.rabbit.kill()
            try:
                slow = self.refused_in_seconds()
                self.assertEqual(call(self.room.api_port, "GET", "/readyz").status, 503)
                return slow
            finally:
                self.room.rabbit.start()
                self.room.until(lambda: self.post({"title": "Back again"}).status == 202, "a 202 after the broker came back")
                self.room.until(self.room.is_ready, "readiness")

        first_kept(judge)

    # --- the far side ---

    def outcome_of(self, kind, board=None, **changes):
        """(answer of the test, connection afterwards)"""
        connection = self.room.connection(kind, **changes)
        answer = self.room.change("POST", f"/v1/connections/{connection}/test", {"board_id": board} if board else {})
        self.assertEqual(answer.status, 200, answer)
        return answer.data, self.room.http("GET", f"/v1/connections/{connection}").data

    def fails(self, kind, reason_class, **changes):
        test, connection = self.outcome_of(kind, **changes)
        self.assertFalse(test["passed"], test)
        self.assertTrue(test["summary"], test)
        failed = [check for check in test["checks"] if not check["passed"]]
        self.assertTrue(failed and all(check["detail"] for check in failed), test)
        self.assertEqual((connection["state"], connection["reason_class"]), ("failing", reason_class), connection)
        self.assertTrue(connection["reason"])
        for secret in (JIRA_SECRET, TRELLO_SECRET, "wrong-secret"):
            self.assertNotIn(secret, json.dumps([test, connection]))

    def test_good_connections_pass(self):
        for kind in ("jira", "trello"):
            test, connection = self.outcome_of(kind)
            self.assertTrue(test["passed"], test)
            self.assertEqual(connection["state"], "ok")

    def test_wrong_credentials(self):
        self.fails("jira", "credentials", secret="wrong-secret")
        self.fails("jira", "credentials", account="nobody@example.test")
        self.fails("trello", "credentials", secret="wrong-secret")
        self.fails("trello", "credentials", account="f" * 32)

    def test_wrong_host(self):
        for kind in ("jira", "trello"):
            self.fails(kind, "unreachable", base_url="http://127.0.0.1:1")
            self.fails(kind, "unreachable", base_url="https://no-such-host.invalid")

    def test_private_addresses_are_refused_at_the_socket(self):
        for host in ("10.1.2.3", "192.168.1.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0", "100.64.0.1"):
            self.fails("jira", "blocked_address", base_url=f"https://{host}")

    def test_certificates(self):
        room = self.room
        strange = Sim("jira", room.home, room.processes.guard, "--tls", *self.strange)
        trusted = Sim("jira", room.home, room.processes.guard, "--tls", *self.trusted)
        try:
            self.fails("jira", "certificate", base_url=f"https://127.0.0.1:{strange.port}")
            test, _ = self.outcome_of("jira", base_url=f"https://127.0.0.1:{trusted.port}")
            self.assertTrue(test["passed"], test)
        finally:
            strange.close()
            trusted.close()

    def test_a_wrong_mapping_is_named(self):
        room = self.room
        connection = room.connection("jira")
        board = room.jira_board("Wrong project", connection, project="NONE")
        test = room.change("POST", f"/v1/connections/{connection}/test", {"board_id": board}).data
        self.assertFalse(test["passed"])
        self.assertIn("NONE", json.dumps(test))

    def test_wrong_credentials_make_no_hot_loop(self):
        room = self.room
        room.jira.control("tokens", {"account": JIRA_ACCOUNT, "secret": "another"})
        try:
            board = room.jira_board("Locked out")
            for number in range(5):
                room.post_ticket(board, f"Locked out {number}")
            time.sleep(1)
            before = len(room.jira.log())
            time.sleep(5)
            self.assertLess(len(room.jira.log()) - before, 30)
        finally:
            room.jira.control("tokens", {"account": JIRA_ACCOUNT, "secret": JIRA_SECRET})

    # --- messages ---

    def publish(self, exchange, key, body, message_type, user="api", **properties):
        self.room.rabbit.evaluate(f'rabbit_auth_backend_internal:set_tags(<<"{user}">>, [management], <<"test">>)')
        message = {"routing_key": key, "payload": body, "payload_encoding": "string",
                   "properties": {"type": message_type, "message_id": str(uuid.uuid4()), "user_id": user, "content_type": "application/json", "delivery_mode": 2, **properties}}
        return self.room.broker_api("POST", f"/api/exchanges/postroom/{exchange}/publish", message, user)

    def shelved(self, message_type, body):
        """The shelved item with exactly this body."""
        def look():
            for item in self.room.http("GET", "/v1/standby?kind=poison&limit=100").data:
                whole = self.room.http("GET", f"/v1/standby/{item['id']}").data
                if whole["message_type"] == message_type and (whole["original"] == body or whole["original"] == json.loads(body or "null")):
                    return whole
            return None

        return self.room.until(look, f"{message_type} on the shelf")

    def test_unknown_version_is_shelved_intact(self):
        body = '{ "ticket_id":"x",  "from_the_future": [1.50, "\\u00e4"] }'
        self.assertEqual(self.publish("cmd", "intake", body, "ticket.open.v9").status, 200)
        item = self.shelved("ticket.open.v9", body)
        self.assertEqual(self.room.rows("SELECT original FROM standby WHERE id = ?", item["id"])[0]["original"], body)
        self.assertTrue(item["reason"])

    def test_what_is_no_message_at_all_is_shelved_and_the_queue_moves_on(self):
        for body in ("this is not JSON", "{", '{"ticket_id": 5}'):
            self.assertEqual(self.publish("cmd", "intake", body, "ticket.open.v1").status, 200)
        desk = self.room.post_ticket(self.desk, "After the garbage").data["ticket_id"]
        self.room.until(lambda: self.room.ticket(desk), "the ticket behind the garbage")
        garbage = {"this is not JSON", "{", '{"ticket_id": 5}'}
        self.room.until(lambda: garbage <= {row["original"] for row in self.room.rows("SELECT original FROM standby WHERE message_type = 'ticket.open.v1'")},
                        "the garbage on the shelf")

    def test_nobody_may_publish_what_is_not_theirs(self):
        answer = self.publish("cmd", "intake", "{}", "ticket.open.v1", user="jira")
        self.assertNotEqual(answer.status, 200, answer)
        answer = self.publish("cmd", "intake", "{}", "ticket.open.v1", user_id="ledger")
        self.assertNotEqual(answer.status, 200, answer)


if __name__ == "__main__":
    run_suite()
