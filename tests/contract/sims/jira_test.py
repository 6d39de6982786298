"""What the Jira simulator promises to the tests that use it."""

import http.client
import json
import time
import unittest

from simulator import MARKER, Simulator, basic


def document(*paragraphs):
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": p}]} for p in paragraphs]}


def issue(**changes):
    fields = {"project": {"key": "SUP"}, "issuetype": {"name": "Task"}, "summary": "Printer on fire", "description": document("It burns.", f"Postroom {MARKER}")}
    fields.update(changes)
    return {"fields": {name: value for name, value in fields.items() if value is not None}, "properties": [{"key": "postroom.origin", "value": {"marker": MARKER, "attempt": 1}}]}


class Jira(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Simulator("jira.py")

    @classmethod
    def tearDownClass(cls):
        cls.sim.close()

    def setUp(self):
        self.sim.control("reset", {})

    def api(self, method, path, body=None, headers=None):
        return self.sim.call(method, "/rest/api/3" + path, body, headers or basic())

    def refused(self, body, field, words):
        status, _, answer = self.api("POST", "/issue", body)
        self.assertEqual((status, answer["errors"].get(field)), (400, words))
        self.assertEqual(self.sim.objects(), [])

    def test_one_issue_per_post_never_deduplicated(self):
        keys = [self.api("POST", "/issue", issue())[2]["key"] for _ in range(3)]
        self.assertEqual(keys, ["SUP-1", "SUP-2", "SUP-3"])
        self.assertEqual([o["marker"] for o in self.sim.objects()], [MARKER] * 3)

    def test_create_answers_201_with_id_key_self_and_trace_headers(self):
        status, headers, answer = self.api("POST", "/issue", issue())
        self.assertEqual((status, set(answer)), (201, {"id", "key", "self"}))
        self.assertTrue(headers["X-Aaccountid"] and headers["Atl-Traceid"])

    def test_login(self):
        for headers in ({"X-None": "1"}, basic(secret="old"), {"Authorization": "Bearer jira-secret"}):
            status, _, answer = self.api("POST", "/issue", issue(), headers)
            self.assertEqual((status, answer["errorMessages"]), (401, ["Client must be authenticated to access this resource."]))
        self.sim.control("tokens", {"account": "bot@example.test", "secret": "new"})
        self.assertEqual(self.api("GET", "/myself")[0], 401)
        self.assertEqual(self.api("GET", "/myself", headers=basic(secret="new"))[0], 200)

    def test_field_errors_in_jiras_words(self):
        self.refused(issue(summary="x" * 256), "summary", "Summary can't exceed 255 characters.")
        self.refused(issue(summary="\U0001f525" * 128), "summary", "Summary can't exceed 255 characters.")
        self.refused(issue(summary="a\nb"), "summary", "The summary is invalid because it contains newline characters.")
        self.refused(issue(summary=None), "summary", "You must specify a summary of the issue.")
        self.refused(issue(description="plain"), "description", "Operation value must be an Atlassian Document (see the Atlassian Document Format)")
        self.refused(issue(description=document("x" * 33000)), "description", "The entered text is too long. It exceeds the allowed limit of 32,767 characters.")
        self.refused(issue(labels=["Severity: high"]), "labels", "The label 'Severity: high' contains spaces which is invalid.")
        self.refused(issue(zebra=1), "zebra", "Field 'zebra' cannot be set. It is not on the appropriate screen, or unknown.")
        self.refused(issue(project={"key": "NONE"}), "project", "Specify a valid project ID or key")
        self.refused(issue(issuetype={"id": "9"}), "issuetype", "Specify a valid issue type")
        self.sim.control("settings", {"labels_on_screen": False})
        self.refused(issue(labels=["a"]), "labels", "Field 'labels' cannot be set. It is not on the appropriate screen, or unknown.")
        self.sim.control("settings", {"required_fields": ["customfield_1"]})
        self.refused(issue(), "customfield_1", "customfield_1 is required.")

    def test_the_longest_summary_is_taken(self):
        self.assertEqual(self.api("POST", "/issue", issue(summary="x" * 255))[0], 201)

    def test_documents_are_checked(self):
        def text(value, **more):
            return {"type": "text", "text": value, **more}

        def doc(*content):
            return {"type": "doc", "version": 1, "content": list(content)}

        def paragraph(*content):
            return {"type": "paragraph", "content": list(content)}

        item = {"type": "listItem", "content": [paragraph(text("a"))]}
        good = [doc(), doc(paragraph()), doc(paragraph(text("a"), {"type": "hardBreak"}, text("b", marks=[{"type": "strong"}]))), doc({"type": "bulletList", "content": [item]}),
                doc({"type": "heading", "attrs": {"level": 6}, "content": [text("a")]}), doc({"type": "codeBlock", "content": [text("a\nb")]}), doc({"type": "rule"}),
                doc(paragraph(text("a", marks=[{"type": "link", "attrs": {"href": "https://example.test"}}])))]
        bad = [doc(paragraph(text(""))), doc({"type": "bulletList", "content": []}), doc({"type": "heading", "attrs": {"level": 7}, "content": [text("a")]}), doc(text("a")),
               doc(paragraph(text("a", marks=[{"type": "code"}, {"type": "strong"}]))), doc(paragraph(text("a\nb"))), doc({"type": "banner"}), {"type": "doc", "content": []},
               doc(paragraph(text("a", marks=[{"type": "blink"}]))), doc(paragraph(text("\x07"))), doc(paragraph({"type": "paragraph"})), doc("a"), paragraph()]
        for value in good:
            self.assertEqual(self.api("POST", "/issue", issue(description=value))[0], 201, value)
        for value in bad:
            status, _, answer = self.api("POST", "/issue", issue(description=value))
            self.assertEqual((status, answer.get("errors")), (400, {"description": "INVALID_INPUT"}), value)

    def test_properties_are_checked(self):
        for properties in ([{"key": "k", "value": 1, "zzz": 1}], [{"key": "k" * 256, "value": 1}], [{"key": "k", "value": "x" * 32768}], "oops", [{"value": 1}]):
            self.assertEqual(self.api("POST", "/issue", dict(issue(), properties=properties))[0], 400)
        self.assertEqual(self.api("POST", "/issue", dict(issue(), zebra=1))[0], 400)
        self.assertEqual(self.api("POST", "/issue", b"{not json")[0], 400)

    def test_key_gaps(self):
        self.sim.control("settings", {"key_gap": 0.5})
        numbers = [int(self.api("POST", "/issue", issue())[2]["key"].split("-")[1]) for _ in range(20)]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertGreater(numbers[-1], 20)

    def test_reads_by_key_are_consistent_while_the_index_lags(self):
        self.sim.control("settings", {"index_lag_ms": [400, 600]})
        key = self.api("POST", "/issue", issue(labels=["postroom-1"]))[2]["key"]
        jql = {"jql": 'project = "SUP" AND labels = "postroom-1"', "fields": ["labels"], "properties": ["postroom.origin"]}
        bulk = {"issueIdsOrKeys": ["SUP-9", key], "fields": ["labels"], "properties": ["postroom.origin"]}
        self.assertEqual(self.api("POST", "/search/jql", jql)[2], {"issues": [], "isLast": True})
        self.assertEqual(self.api("GET", f"/issue/{key}?fields=summary&properties=postroom.origin")[2]["properties"]["postroom.origin"]["marker"], MARKER)
        self.assertEqual([i["properties"]["postroom.origin"]["marker"] for i in self.api("POST", "/issue/bulkfetch", bulk)[2]["issues"]], [MARKER])
        deadline = time.monotonic() + 5
        while not (found := self.api("POST", "/search/jql", jql)[2]["issues"]):
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual((found[0]["key"], found[0]["properties"]["postroom.origin"]["marker"]), (key, MARKER))

    def test_search_newest_first_by_pages_without_total(self):
        for _ in range(5):
            self.api("POST", "/issue", issue())
        first = self.api("POST", "/search/jql", {"jql": "project = SUP ORDER BY created DESC", "maxResults": 3, "fields": ["summary"]})[2]
        rest = self.api("POST", "/search/jql", {"jql": "project = SUP ORDER BY created DESC", "maxResults": 3, "fields": ["summary"], "nextPageToken": first["nextPageToken"]})[2]
        self.assertEqual([i["key"] for i in first["issues"] + rest["issues"]], ["SUP-5", "SUP-4", "SUP-3", "SUP-2", "SUP-1"])
        self.assertEqual((first["isLast"], rest["isLast"], "total" in first, "nextPageToken" in rest), (False, True, False, False))
        self.assertEqual(set(self.api("POST", "/search/jql", {"jql": "project = SUP"})[2]["issues"][0]), {"id"})

    def test_search_refusals(self):
        for body in ({"jql": "project = SUP", "startAt": 0}, {"jql": "order by created"}, {"jql": "project = NONE"}, {"jql": "nonsense !"}, {}):
            self.assertEqual(self.api("POST", "/search/jql", body)[0], 400, body)
        status, _, answer = self.api("GET", "/search?jql=project=SUP")
        self.assertEqual(status, 410)
        self.assertIn("/rest/api/3/search/jql", answer["errorMessages"][0])

    def test_bulkfetch_takes_at_most_100_and_no_unknown_member(self):
        self.assertEqual(self.api("POST", "/issue/bulkfetch", {"issueIdsOrKeys": ["SUP-1"] * 101})[0], 400)
        self.assertEqual(self.api("POST", "/issue/bulkfetch", {"issueIdsOrKeys": [], "startAt": 1})[0], 400)

    def test_hidden_issues_are_404(self):
        self.sim.control("settings", {"hidden": True})
        key = self.api("POST", "/issue", issue())[2]["key"]
        self.assertEqual(self.api("GET", f"/issue/{key}")[0], 404)
        self.assertEqual(len(self.sim.objects()), 1)

    def test_reads_for_a_connection_test(self):
        self.assertEqual(self.api("GET", "/mypermissions?projectKey=SUP")[0], 400)
        self.assertEqual(self.api("GET", "/mypermissions?permissions=FLY")[0], 400)
        self.sim.control("settings", {"read_only_projects": ["OPS"]})
        have = [self.api("GET", f"/mypermissions?projectKey={p}&permissions=CREATE_ISSUES")[2]["permissions"]["CREATE_ISSUES"]["havePermission"] for p in ("SUP", "OPS")]
        self.assertEqual(have, [True, False])
        self.assertEqual(self.api("POST", "/issue", issue(project={"key": "OPS"}))[0], 403)
        self.assertEqual(self.api("GET", "/serverInfo")[2]["deploymentType"], "Cloud")
        self.assertEqual(self.api("GET", "/project/NONE")[2]["errorMessages"], ["No project could be found with key 'NONE'."])
        self.assertEqual([p["key"] for p in self.api("GET", "/project/search?query=sup")[2]["values"]], ["SUP"])
        types = self.api("GET", "/issue/createmeta/SUP/issuetypes")[2]["issueTypes"]
        fields = self.api("GET", f"/issue/createmeta/SUP/issuetypes/{types[0]['id']}")[2]["fields"]
        self.assertLessEqual({"summary", "labels", "priority"}, {f["fieldId"] for f in fields})

    def test_state_and_log_survive_a_kill(self):
        sim = Simulator("jira.py")
        key = sim.call("POST", "/rest/api/3/issue", issue(), basic())[2]["key"]
        sim.control("tokens", {"account": "bot@example.test", "secret": "rotated"})
        sim.kill()
        self.assertEqual([line["committed"] for line in sim.log() if line.get("committed")], [key])
        again = Simulator("jira.py", folder=sim.folder)
        self.assertEqual([o["key"] for o in again.objects()], [key])
        self.assertEqual(again.call("POST", "/rest/api/3/issue", issue(), basic())[0], 401)
        self.assertEqual(again.call("POST", "/rest/api/3/issue", issue(), basic(secret="rotated"))[2]["key"], "SUP-2")
        again.close()

    def test_sites_are_independent(self):
        sim = Simulator("jira.py", "--sites", "2")
        sim.control("tokens", {"site": 1, "account": "bot@example.test", "secret": "other"})
        sim.call("POST", "/rest/api/3/issue", issue(), basic())
        self.assertEqual([o["site"] for o in sim.objects()], [0])
        self.assertEqual([sim.call("GET", "/rest/api/3/myself", headers=basic(), port=port)[0] for port in sim.ports], [200, 401])
        sim.close()

    def test_more_than_200_requests_a_second(self):
        body = json.dumps(issue())

        def seconds():
            connection, started = http.client.HTTPConnection("127.0.0.1", self.sim.port), time.monotonic()
            for _ in range(300):
                connection.request("POST", "/rest/api/3/issue", body, basic())
                connection.getresponse().read()
            connection.close()
            return time.monotonic() - started

        self.assertLess(min(seconds() for _ in range(3)), 1.5)


if __name__ == "__main__":
    unittest.main()
