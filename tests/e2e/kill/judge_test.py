"""The judge must be able to fail: an honest run is green, and each forgery is caught by name."""

import json
import pathlib
import sqlite3
import tempfile
import unittest

from judge import Evidence, Judge, read_lines

SCHEMA = pathlib.Path(__file__).resolve().parents[3] / "schemas" / "sql" / "0001_core.sql"
SETTLE_MS = 3000


def marker(n):
    return f"00000000-0000-4000-8000-000000000000.00000000-0000-4000-8000-{n:012d}"


class Forgery:
    """An honest run of three posts (jira, trello, desk) and one refused, in memory, to be bent before it is judged."""

    def __init__(self):
        self.driver = [{"what": "post", "n": n, "key": f"k{n}", "target": target, "title": f"post {n}"} for n, target in ((1, "jira"), (2, "trello"), (3, "desk"), (4, "jira"))]
        self.driver += [{"what": "accepted", "n": n, "ticket_id": f"t{n}"} for n in (1, 2, 3)] + [{"what": "refused", "n": 4, "status": 503}]
        self.jira = [self.create("/rest/api/3/issue", 1, "SUP-1", 100.0, 201)]
        self.trello = [self.create("/1/cards", 2, "c2", 100.0, 200)]
        self.broker = {"queues": {"ledger.intake": [0, 0], "standby": [0, 0]}, "balance": {"accepted": 3, "opened": 3, "standby": 0, "deleted": 0}}
        self.sql = ["INSERT INTO boards VALUES ('b','B','active',1,'[]','desk',NULL,'{}',1,0,0)", "INSERT INTO counters VALUES ('arrivals_accepted',3)",
                    "INSERT INTO counters VALUES ('arrivals_opened',3)"]
        for n in (1, 2, 3):
            self.sql += [self.arrival(n), self.ticket(f"t{n}", n, f"post {n}")]
        self.sql += [self.delivery("d1", "t1", "jira"), self.delivery("d2", "t2", "trello"), self.link("x1", "t1", "d1", "jira", "20000", "SUP-1"), self.link("x2", "t2", "d2", "trello", "c2", "short")]

    @staticmethod
    def create(path, n, committed, t, status, late=False):
        return {"t": t, "method": "POST", "path": path, "marker": marker(n), "title": f"post {n}" if committed else None, "committed": committed, "status": status,
                "complete": True, "late": late, "fault": None}

    @staticmethod
    def arrival(n, state="opened"):
        return f"INSERT INTO arrivals VALUES ('a{n}','public','a{n}','a{n}','t{n}','b','{state}',NULL,'public',0,0)"

    @staticmethod
    def ticket(ticket_id, number, title):
        return f"INSERT INTO tickets VALUES ('{ticket_id}',{number},'b','a','a','{title}','',NULL,NULL,'normal','new',1,0,0)"

    @staticmethod
    def delivery(delivery_id, ticket_id, worker, state="done", maybe_sent=0):
        return (f"INSERT INTO deliveries VALUES ('{delivery_id}','{ticket_id}','b','ticket.opened','c','{worker}','create','','{state}','send',0,0,1,'',1,0,{maybe_sent},0,0,NULL,NULL,"
                "'none','',NULL,0,0)")

    @staticmethod
    def link(row_id, ticket_id, delivery_id, system, remote_id, key, state="linked"):
        return f"INSERT INTO external_tickets VALUES ('{row_id}','{ticket_id}','b','{delivery_id}','c','{system}','{remote_id}','{key}','','{state}',0)"

    def judge(self):
        with tempfile.TemporaryDirectory() as folder:
            def lines(name, values):
                (pathlib.Path(folder) / name).write_text("".join(json.dumps(value) + "\n" for value in values))
                return f"{folder}/{name}"

            with sqlite3.connect(f"{folder}/db") as database:
                database.executescript(SCHEMA.read_text())
                for statement in self.sql:
                    database.execute(statement)
            database.close()
            pathlib.Path(f"{folder}/broker").write_text(json.dumps(self.broker))
            return Judge(Evidence(lines("driver", self.driver), f"{folder}/db", [lines("jira", self.jira), lines("trello", self.trello)], f"{folder}/broker"), SETTLE_MS).run()


class JudgeTest(unittest.TestCase):
    def setUp(self):
        self.run_ = Forgery()

    def caught(self, *kinds):
        judge = self.run_.judge()
        self.assertLessEqual(set(kinds), {violation.split(":")[0] for violation in judge.violations}, judge.violations)
        return judge

    def replace(self, old, new):
        self.run_.sql = [new if statement == old else statement for statement in self.run_.sql]

    def drop(self, words):
        kept = [statement for statement in self.run_.sql if words not in statement]
        self.assertLess(len(kept), len(self.run_.sql))
        self.run_.sql = kept

    def test_an_honest_run_is_green(self):
        judge = self.run_.judge()
        self.assertEqual(judge.violations, [])
        self.assertEqual(judge.line(), "accepted 3 done 3 pending 0 standby 0 in_doubt 0 lost 0 duplicated 0 (refused 1, of them happened 0)")

    def test_a_refused_post_may_happen_once(self):
        self.run_.jira.append(Forgery.create("/rest/api/3/issue", 4, "SUP-2", 105.0, 201))
        self.run_.sql += [Forgery.arrival(4), Forgery.ticket("t4", 4, "post 4"), Forgery.delivery("d4", "t4", "jira"), Forgery.link("x4", "t4", "d4", "jira", "20001", "SUP-2")]
        self.run_.sql = [s.replace("',3)", "',4)") if "counters" in s else s for s in self.run_.sql]
        self.run_.broker["balance"].update(accepted=4, opened=4)
        self.assertEqual(self.run_.judge().violations, [])
        self.assertIn("happened 1", self.run_.judge().line())

    def test_a_202_of_which_nothing_is_left(self):
        for words in ("VALUES ('a1'", "VALUES ('t1'", "VALUES ('d1'", "VALUES ('x1'"):
            self.drop(words)
        self.run_.jira.clear()
        self.assertIn("lost 1", self.caught("lost", "balance").line())

    def test_a_202_whose_desk_row_is_missing(self):
        self.drop("VALUES ('t3'")
        self.caught("not delivered", "balance")

    def test_an_issue_without_its_ticket(self):
        self.drop("VALUES ('t1'")
        self.caught("lost", "wrong link", "balance")

    def test_a_202_without_its_issue(self):
        self.run_.jira.clear()
        self.caught("not delivered", "wrong link")

    def test_two_issues_for_one_post(self):
        self.run_.jira.append(Forgery.create("/rest/api/3/issue", 1, "SUP-2", 110.0, 201))
        self.assertIn("duplicated 1", self.caught("duplicated", "unlinked").line())

    def test_two_cards_for_one_post_one_of_them_late(self):
        self.run_.trello.append(Forgery.create("/1/cards", 2, "c9", 110.0, None, late=True))
        self.caught("duplicated", "unlinked")

    def test_two_tickets_for_one_post(self):
        self.run_.sql.append(Forgery.ticket("t9", 9, "post 1"))
        self.caught("duplicated", "balance")
        self.setUp()
        self.run_.sql.append(Forgery.ticket("t9", 9, "post 3"))
        self.caught("duplicated", "balance")

    def test_a_refused_post_that_happened_twice(self):
        self.run_.jira += [Forgery.create("/rest/api/3/issue", 4, key, t, 201) for key, t in (("SUP-2", 105.0), ("SUP-3", 115.0))]
        self.caught("duplicated")

    def test_one_key_answered_with_two_ids(self):
        self.run_.driver.append({"what": "accepted", "n": 1, "ticket_id": "t77"})
        self.caught("two ids")

    def test_a_second_post_before_the_settle_time(self):
        first = Forgery.create("/rest/api/3/issue", 1, None, 97.5, None)
        self.run_.jira.insert(0, first)
        self.caught("too early")
        first["status"] = 503
        self.caught("too early")
        first["status"] = 429
        self.assertEqual(self.run_.judge().violations, [])
        first.update(status=None, t=96.9)
        self.assertEqual(self.run_.judge().violations, [])

    def test_what_was_never_posted(self):
        self.run_.trello.append(Forgery.create("/1/cards", 7, "c7", 100.0, 200))
        self.caught("phantom")
        self.setUp()
        self.run_.sql.append(Forgery.ticket("t9", 9, "who wrote this?"))
        self.caught("phantom")

    def test_an_issue_that_was_meant_for_trello(self):
        self.run_.jira.append(Forgery.create("/rest/api/3/issue", 2, "SUP-2", 100.0, 201))
        self.caught("phantom")

    def test_links_must_be_right(self):
        self.replace(Forgery.link("x1", "t1", "d1", "jira", "20000", "SUP-1"), Forgery.link("x1", "t1", "d1", "jira", "20000", "SUP-8"))
        self.caught("unlinked", "wrong link")
        self.setUp()
        self.replace(Forgery.link("x1", "t1", "d1", "jira", "20000", "SUP-1"), Forgery.link("x1", "t3", "d1", "jira", "20000", "SUP-1"))
        self.caught("wrong link")
        self.setUp()
        self.run_.sql.append(Forgery.link("x3", "t1", "d1", "jira", "20009", "SUP-9", "duplicate"))
        self.caught("duplicated", "wrong link")

    def test_unfinished_and_shelved_deliveries(self):
        self.replace(Forgery.delivery("d1", "t1", "jira"), Forgery.delivery("d1", "t1", "jira", "claimed", 1))
        self.assertIn("pending 1 standby 0 in_doubt 1", self.caught("pending").line())
        self.replace(Forgery.delivery("d1", "t1", "jira", "claimed", 1), Forgery.delivery("d1", "t1", "jira", "standby"))
        self.caught("standby")

    def test_standby_items(self):
        self.run_.sql.append("INSERT INTO standby VALUES ('s1','poison','m','c',NULL,NULL,NULL,'ledger','x.v9','protocol','unknown version','g','{}',0,'{}',0,0,0,0,NULL,NULL,'open',0,NULL,1)")
        self.assertIn("standby 1", self.caught("standby").line())

    def test_a_missing_delivery(self):
        self.drop("VALUES ('d1'")
        self.caught("balance")

    def test_books_that_do_not_balance(self):
        self.replace("INSERT INTO counters VALUES ('arrivals_accepted',3)", "INSERT INTO counters VALUES ('arrivals_accepted',2)")
        self.caught("balance")
        self.setUp()
        self.run_.broker["balance"]["opened"] = 2
        self.caught("balance")
        self.setUp()
        self.replace(Forgery.arrival(3), Forgery.arrival(3, "vanished"))
        self.caught("balance")

    def test_a_message_left_in_a_queue(self):
        self.run_.broker["queues"]["jira"] = [0, 1]
        self.caught("left in queue")

    def test_what_the_driver_saw_itself(self):
        self.run_.driver.append({"what": "trouble", "text": "jira-0 (pid 5) ended with -11"})
        self.caught("trouble")

    def test_a_torn_last_line_of_a_killed_writer_is_no_evidence(self):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write('{"what": "post"}\n{"what": "acc')
            file.flush()
            self.assertEqual(read_lines(file.name), [{"what": "post"}])


if __name__ == "__main__":
    unittest.main()
