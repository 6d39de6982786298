"""What the Trello simulator promises to the tests that use it."""

import sys
import time
import unittest
from urllib.parse import quote

from simulator import MARKER, SIMS, Simulator

sys.path.insert(0, str(SIMS))
from trello import BOARD, DONE_LIST, KEY, LIST, MEMBER, TOKEN  # noqa: E402

OAUTH = {"Authorization": f'OAuth oauth_consumer_key="{KEY}", oauth_token="{TOKEN}"'}
TICKET = f"http://127.0.0.1:8080/v1/tickets/9?m={MARKER}"


class Trello(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Simulator("trello.py")

    @classmethod
    def tearDownClass(cls):
        cls.sim.close()

    def setUp(self):
        self.sim.control("reset", {})

    def api(self, method, path, body=None, headers=OAUTH):
        return self.sim.call(method, "/1" + path, body, headers)

    def card(self, **changes):
        return self.api("POST", "/cards", {"idList": LIST, "name": "Printer on fire", "desc": f"It burns.\n\nPostroom {MARKER}", "urlSource": TICKET} | changes)

    def test_one_card_per_post_never_deduplicated(self):
        ids = [self.card()[2]["id"] for _ in range(3)]
        self.assertEqual(len(set(ids)), 3)
        self.assertEqual([o["marker"] for o in self.sim.objects()], [MARKER] * 3)

    def test_the_id_tells_its_second_and_the_answer_the_clock(self):
        status, headers, card = self.card()
        self.assertEqual(status, 200)
        self.assertLessEqual(abs(int(card["id"][:8], 16) - int(headers["X-Server-Time"]) / 1000), 2)
        self.assertEqual((card["idList"], card["idBoard"], card["attachments"][0]["url"]), (LIST, BOARD, TICKET))

    def test_query_form_and_json_bodies(self):
        query = f"/1/cards?key={KEY}&token={TOKEN}&idList={LIST}&name=a&urlSource={quote(TICKET, safe='')}"
        self.assertEqual(self.sim.call("POST", query)[0], 200)
        form = {**OAUTH, "Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(self.sim.call("POST", "/1/cards", f"idList={LIST}&name=b&desc=Postroom+{MARKER}", form)[0], 200)
        self.assertEqual([o["marker"] for o in self.sim.objects()], [MARKER, MARKER])

    def test_login(self):
        def words(headers, path="/members/me"):
            return self.api("GET", path, headers=headers)[::2]

        self.assertEqual(words({}), (401, "invalid key"))
        self.assertEqual(words({"Authorization": f'OAuth oauth_consumer_key="{KEY}", oauth_token="old"'}), (401, "invalid token"))
        self.assertEqual(words({}, f"/members/me?key={KEY}"), (401, "unauthorized permission requested"))
        self.sim.control("tokens", {"account": "newkey", "secret": "newtoken"})
        self.assertEqual(words(OAUTH)[0], 401)
        self.assertEqual(words({"Authorization": 'OAuth oauth_consumer_key="newkey", oauth_token="newtoken"'})[0], 200)

    def test_refusals_are_plain_text(self):
        for changes, expected in (({"idList": "short"}, (400, "invalid value for idList")), ({"idList": "f" * 24}, (404, "could not find the board that the card belongs to")),
                                  ({"name": "x" * 16385}, (400, "invalid value for name")), ({"desc": "x" * 16385}, (400, "invalid value for desc")),
                                  ({"zebra": 1}, (400, "invalid value for zebra")), ({"urlSource": "gopher://x"}, (400, "invalid value for url"))):
            self.assertEqual(self.card(**changes)[::2], expected)
        self.assertEqual(self.api("POST", "/cards", "{oops")[0], 400)
        self.assertEqual(self.sim.objects(), [])
        self.assertEqual(self.api("GET", "/cards/zz")[::2], (400, "invalid id"))
        self.assertEqual(self.api("GET", f"/cards/{'f' * 24}")[0], 404)
        self.assertEqual(self.api("GET", f"/boards/{'f' * 24}")[::2], (404, "board not found"))

    def test_actions_since_before_limit_newest_first(self):
        before = time.time() - 5
        cards = [self.card(name=str(n))[2]["id"] for n in range(4)]
        path = f"/boards/{BOARD}/actions?filter=createCard,copyCard,moveCardToBoard&member=false"
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(before))
        actions = self.api("GET", f"{path}&since={since}&limit=1000")[2]
        self.assertEqual([a["data"]["card"]["id"] for a in actions], cards[::-1])
        self.assertEqual({(a["idMemberCreator"], a["type"]) for a in actions}, {(MEMBER, "createCard")})
        older = self.api("GET", f"{path}&before={actions[1]['id']}")[2]
        self.assertEqual([a["data"]["card"]["id"] for a in older], [cards[1], cards[0]])
        newer = self.api("GET", f"{path}&since={actions[1]['id']}")[2]
        self.assertEqual([a["data"]["card"]["id"] for a in newer], [cards[3]])
        self.assertEqual(len(self.api("GET", f"{path}&limit=2")[2]), 2)
        self.assertEqual(self.api("GET", f"{path}&limit=1001")[0], 400)
        future = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
        self.assertEqual(self.api("GET", f"{path}&since={future}")[2], [])
        self.assertEqual(self.api("GET", f"/boards/{BOARD}/actions?filter=updateCard")[2], [])

    def test_actions_may_lag_while_reads_by_id_do_not(self):
        self.sim.control("settings", {"actions_lag_ms": 60000})
        card = self.card()[2]["id"]
        self.assertEqual(self.api("GET", f"/boards/{BOARD}/actions?filter=createCard")[2], [])
        self.assertEqual(self.api("GET", f"/cards/{card}?fields=desc&attachments=true")[2]["attachments"][0]["url"], TICKET)
        self.assertEqual(set(self.api("GET", f"/cards/{card}?fields=desc")[2]), {"id", "desc"})

    def test_lists_boards_members_tokens_batch(self):
        card = self.card()[2]
        self.assertEqual([c["id"] for c in self.api("GET", f"/lists/{LIST}/cards?fields=id,desc&attachments=true")[2]], [card["id"]])
        self.assertEqual(self.api("GET", f"/lists/{DONE_LIST}/cards")[2], [])
        self.assertEqual([entry["id"] for entry in self.api("GET", f"/boards/{BOARD}/lists?filter=open")[2]], [LIST, DONE_LIST])
        self.assertEqual(self.api("GET", f"/boards/{BOARD}?fields=closed,memberships")[2]["memberships"][0]["idMember"], MEMBER)
        self.assertEqual(self.api("GET", "/members/me?fields=id,username")[2], {"id": MEMBER, "username": "postroombot"})
        self.assertIsNone(self.api("GET", f"/tokens/{TOKEN}?fields=permissions,dateExpires")[2]["dateExpires"])
        batch = self.api("GET", f"/batch?urls=/cards/{card['shortLink']},/cards/{'f' * 24}")[2]
        self.assertEqual((batch[0]["200"]["id"], batch[1]["statusCode"]), (card["id"], 404))

    def test_allowances_on_every_answer_and_429_beyond_them(self):
        self.sim.control("settings", {"token_max": 3, "interval_ms": 60000})
        seen = [self.api("GET", "/members/me") for _ in range(4)]
        self.assertEqual([status for status, _, _ in seen], [200, 200, 200, 429])
        self.assertEqual([headers["x-rate-limit-api-token-remaining"] for _, headers, _ in seen], ["2", "1", "0", "0"])
        self.assertEqual(seen[0][1]["x-rate-limit-api-token-interval-ms"], "60000")
        self.assertEqual(seen[3][2], {"error": "API_TOKEN_LIMIT_EXCEEDED", "message": "Rate limit exceeded"})
        self.assertNotIn("Retry-After", seen[3][1])


if __name__ == "__main__":
    unittest.main()
