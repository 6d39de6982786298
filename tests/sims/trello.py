#!/usr/bin/env python3
"""Trello's REST API, as far as Postroom talks to it: a card per POST, never deduplicated, plain text errors, allowances on every answer.

Settings (POST /_sim/settings): token_max and key_max per interval_ms (enforced and announced), actions_lag_ms (until a creation shows among the board's actions).
Default key and token: KEY and TOKEN below; POST /_sim/tokens {"account": key, "secret": token} rotates them.
Board BOARD has the lists LIST (To do) and DONE_LIST (Done); BOARD_2 has LIST_2. Ids carry their creation second in the first 8 hexadecimal digits.
"""

import calendar
import json
import random
import re
import time
from urllib.parse import parse_qsl

import simkit

KEY, TOKEN = "0123456789abcdef0123456789abcdef", "ATTA" + "5ec2e7" * 12
BOARD, LIST, DONE_LIST = "5f0000000000000000000b01", "5f0000000000000000000c01", "5f0000000000000000000c02"
BOARD_2, LIST_2 = "5f0000000000000000000b02", "5f0000000000000000000c03"
BOARDS = {BOARD: "Post room", BOARD_2: "Back office"}
LISTS = {LIST: ("To do", BOARD), DONE_LIST: ("Done", BOARD), LIST_2: ("To do", BOARD_2)}
MEMBER = "5f0000000000000000000a01"
SETTINGS = {"token_max": 100_000, "key_max": 300_000, "interval_ms": 10_000, "actions_lag_ms": 0}
TEXT_LIMIT = 16384
CARD_MEMBERS = {"name", "desc", "pos", "due", "start", "dueComplete", "idList", "idMembers", "idLabels", "urlSource", "fileSource", "mimeType", "idCardSource",
                "keepFromSource", "address", "locationName", "coordinates", "cardRole"}
SHORT = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def text(status, words):
    return simkit.Answer(status, words)


def iso(wall):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall)) + f".{int(wall * 1000) % 1000:03d}Z"


class TrelloSite:
    def __init__(self, number, journal, seed):
        self.number, self.journal, self.seed = number, journal, seed
        self.clear()
        for record in journal.load():
            if "tokens" in record:
                self.set_tokens(record["tokens"])
            else:
                self._remember(record)

    def clear(self):
        self.chance = random.Random(self.seed)
        self.settings, self.keys = dict(SETTINGS), {KEY: {TOKEN}}
        self.cards, self.by_link, self.serial = {}, {}, 0
        self.window_started, self.used = 0.0, 0

    # --- control ---

    def reset(self):
        self.journal.clear()
        self.clear()

    def set_tokens(self, value):
        self.keys = {value["account"]: {value["secret"]}}

    def configure(self, changes):
        self.settings = simkit.settle_settings(self.settings, changes)

    def objects(self, full):
        return [dict({"id": c["id"], "key": c["shortLink"], "marker": c["marker"], "created": iso(c["at"]), "at": c["at"]},
                     **({"fields": {n: c[n] for n in ("name", "desc", "idList")}, "attachments": c["attachments"]} if full else {})) for c in self.cards.values()]

    def error_body(self, status):
        if status == 429:
            return "application/json; charset=utf-8", json.dumps({"error": "API_TOKEN_LIMIT_EXCEEDED", "message": "Rate limit exceeded"}).encode()
        words = {401: "invalid token", 403: "forbidden", 404: "The requested resource was not found."}.get(status, "Internal Server Error")
        return "text/plain; charset=utf-8", words.encode()

    def common_headers(self, request):
        left = max(0, self.settings["token_max"] - self.used)
        key_left = max(0, self.settings["key_max"] - self.used)
        return {"X-Server-Time": str(int(time.time() * 1000)), "X-Trello-Version": "1.2026.0", "X-Trello-Environment": "Production",
                "x-rate-limit-api-token-interval-ms": str(self.settings["interval_ms"]), "x-rate-limit-api-token-max": str(self.settings["token_max"]),
                "x-rate-limit-api-token-remaining": str(left), "x-rate-limit-api-key-interval-ms": str(self.settings["interval_ms"]),
                "x-rate-limit-api-key-max": str(self.settings["key_max"]), "x-rate-limit-api-key-remaining": str(key_left)}

    # --- the API ---

    def _login(self, request):
        """None when the key and token are good, else Trello's words."""
        key, token = request.query.get("key"), request.query.get("token")
        header = request.headers.get("authorization", "")
        if header.lower().startswith("oauth "):
            pairs = dict(re.findall(r'(oauth_consumer_key|oauth_token)="([^"]*)"', header))
            key, token = pairs.get("oauth_consumer_key"), pairs.get("oauth_token")
        if not token and key in self.keys:
            return "unauthorized permission requested"
        if key not in self.keys:
            return "invalid key"
        return None if token in self.keys[key] else "invalid token"

    def _over_limit(self):
        now = time.monotonic()
        if now - self.window_started >= self.settings["interval_ms"] / 1000:
            self.window_started, self.used = now, 0
        self.used += 1
        if self.used > self.settings["key_max"]:
            return "API_KEY_LIMIT_EXCEEDED"
        return "API_TOKEN_LIMIT_EXCEEDED" if self.used > self.settings["token_max"] else None

    def handle(self, request):
        if wrong := self._login(request):
            return text(401, wrong)
        if limit := self._over_limit():
            return simkit.Answer(429, {"error": limit, "message": "Rate limit exceeded"})
        return self._route(request, request.method, request.path, request.query)

    def _route(self, request, method, path, query):
        for wanted, pattern, name in ROUTES:
            if wanted == method and (found := re.fullmatch("/1" + pattern, path)):
                return getattr(self, name)(request, query, *found.groups())
        return text(404, f"Cannot {method} {path}")

    def create(self, request, query):
        values = {name: value for name, value in query.items() if name not in ("key", "token")}
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if request.body and kind == "application/json":
            body = request.json()
            if not isinstance(body, dict):
                return text(400, "Error parsing body: invalid JSON")
            values |= body
        elif request.body and kind == "application/x-www-form-urlencoded":
            values |= dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        if wrong := self._card_error(values):
            return wrong
        card = self._commit(request, values)
        return simkit.Answer(200, self._bean(card, None, attachments=True) | {"limits": {}}, committed=card["id"], title=card["name"])

    @staticmethod
    def _card_error(values):
        list_id = values.get("idList")
        if not isinstance(list_id, str) or not re.fullmatch(r"[0-9a-fA-F]{24}", list_id):
            return text(400, "invalid value for idList")
        if list_id not in LISTS:
            return text(404, "could not find the board that the card belongs to")
        if set(values) - CARD_MEMBERS:
            return text(400, f"invalid value for {sorted(set(values) - CARD_MEMBERS)[0]}")
        for name in ("name", "desc", "urlSource"):
            if name in values and (not isinstance(values[name], str) or len(values[name]) > TEXT_LIMIT):
                return text(400, f"invalid value for {name}")
        if "urlSource" in values and not re.match(r"https?://", values["urlSource"]):
            return text(400, "invalid value for url")
        if "pos" in values and values["pos"] not in ("top", "bottom") and not re.fullmatch(r"\d+(\.\d+)?", str(values["pos"])):
            return text(400, "invalid value for pos")
        if not values.get("name") and not values.get("urlSource") and not values.get("idCardSource"):
            return text(400, "invalid value for name")
        return None

    def _new_id(self, wall):
        self.serial += 1
        return f"{int(wall):08x}{self.chance.getrandbits(40):010x}{self.serial & 0xFFFFFF:06x}"

    def _commit(self, request, values):
        wall = time.time()
        attachments = [{"id": self._new_id(wall), "name": values["urlSource"], "url": values["urlSource"], "date": iso(wall), "isUpload": False,
                        "idMember": MEMBER}] if values.get("urlSource") else []
        card = {"id": self._new_id(wall), "shortLink": "".join(self.chance.choices(SHORT, k=8)), "idShort": len(self.cards) + 1, "name": values.get("name", ""),
                "desc": values.get("desc", ""), "idList": values["idList"], "idBoard": LISTS[values["idList"]][1], "closed": False, "at": wall, "pos": 65536.0,
                "action": self._new_id(wall), "marker": request.marker, "attachments": attachments}
        self._remember(card)
        self.journal.append(card)
        return card

    def _remember(self, card):
        self.cards[card["id"]] = self.by_link[card["shortLink"]] = card
        self.serial = max(self.serial, int(card["action"][-6:], 16))

    @staticmethod
    def _bean(card, fields, attachments=False):
        link = card["shortLink"]
        bean = {"id": card["id"], "idBoard": card["idBoard"], "idList": card["idList"], "idShort": card["idShort"], "name": card["name"], "desc": card["desc"],
                "closed": card["closed"], "shortLink": link, "shortUrl": f"https://trello.com/c/{link}", "url": f"https://trello.com/c/{link}/{card['idShort']}-card",
                "dateLastActivity": iso(card["at"]), "pos": card["pos"], "due": None, "dueComplete": False, "labels": [], "idLabels": [], "idMembers": [],
                "idChecklists": [], "subscribed": False, "badges": {"attachments": len(card["attachments"]), "comments": 0, "votes": 0}}
        if fields and fields != {"all"}:
            bean = {name: value for name, value in bean.items() if name in fields or name == "id"}
        if attachments:
            bean["attachments"] = card["attachments"]
        return bean

    @staticmethod
    def _fields(query):
        return set(filter(None, query.get("fields", "").split(","))) or None

    def show(self, request, query, card_id):
        if not re.fullmatch(r"[0-9a-fA-F]{24}|[0-9A-Za-z]{8}", card_id):
            return text(400, "invalid id")
        card = self.cards.get(card_id) or self.by_link.get(card_id)
        if card is None:
            return text(404, "The requested resource was not found.")
        return simkit.Answer(200, self._bean(card, self._fields(query), query.get("attachments") == "true"))

    @staticmethod
    def _window(query, items, moment):
        """Newest first, between since and before (an id or an ISO date), at most limit. moment(item) → (Unix seconds, id)."""
        limit = query.get("limit", "50")
        if not limit.isdigit() or int(limit) > 1000:
            return None, text(400, "invalid value for limit")
        for bound in ("since", "before"):
            if value := query.get(bound):
                at = parse_moment(value)
                if at is None:
                    return None, text(400, f"invalid value for {bound}")
                whole_id = re.fullmatch(r"[0-9a-f]{24}", value) and value
                items = [i for i in items if (moment(i)[1] > whole_id if whole_id else moment(i)[0] >= at) == (bound == "since")
                         and not (whole_id and moment(i)[1] == whole_id)]
        items = sorted(items, key=moment, reverse=True)
        return items[:int(limit)], None

    def actions(self, request, query, board):
        if board not in BOARDS:
            return text(404, "board not found") if re.fullmatch(r"[0-9a-fA-F]{24}", board) else text(400, "invalid id")
        kinds = set(query.get("filter", "all").split(","))
        now = time.time()
        cards = [c for c in self.cards.values() if c["idBoard"] == board and kinds & {"createCard", "all"} and c["at"] + self.settings["actions_lag_ms"] / 1000 <= now]
        page, wrong = self._window(query, cards, lambda card: (card["at"], card["action"]))
        if wrong:
            return wrong
        return simkit.Answer(200, [{"id": c["action"], "idMemberCreator": MEMBER, "type": "createCard", "date": iso(c["at"]), "limits": {},
                                    "data": {"card": {"id": c["id"], "name": c["name"], "idShort": c["idShort"], "shortLink": c["shortLink"]},
                                             "list": {"id": c["idList"], "name": LISTS[c["idList"]][0]}, "board": {"id": board, "name": BOARDS[board], "shortLink": "aBcDeFgH"}}}
                                   for c in page])

    def list_cards(self, request, query, list_id):
        if list_id not in LISTS:
            return text(404, "The requested resource was not found.") if re.fullmatch(r"[0-9a-fA-F]{24}", list_id) else text(400, "invalid id")
        cards = [c for c in self.cards.values() if c["idList"] == list_id and not c["closed"]]
        page, wrong = self._window({"limit": "1000", **query}, cards, lambda card: (card["at"], card["id"]))
        return wrong or simkit.Answer(200, [self._bean(c, self._fields(query), query.get("attachments") == "true") for c in page])

    def board(self, request, query, board):
        if board not in BOARDS:
            return text(404, "board not found") if re.fullmatch(r"[0-9a-fA-F]{24}", board) else text(400, "invalid id")
        bean = {"id": board, "name": BOARDS[board], "closed": False, "shortLink": "aBcDeFgH", "url": f"https://trello.com/b/aBcDeFgH/{board}",
                "memberships": [{"id": MEMBER[:-2] + "ff", "idMember": MEMBER, "memberType": "admin", "unconfirmed": False, "deactivated": False}]}
        fields = self._fields(query)
        return simkit.Answer(200, {n: v for n, v in bean.items() if fields is None or n in fields | {"id"}})

    def board_lists(self, request, query, board):
        if board not in BOARDS:
            return text(404, "board not found") if re.fullmatch(r"[0-9a-fA-F]{24}", board) else text(400, "invalid id")
        return simkit.Answer(200, [self._list_bean(key) for key, (_, of) in LISTS.items() if of == board])

    @staticmethod
    def _list_bean(list_id):
        return {"id": list_id, "name": LISTS[list_id][0], "closed": False, "idBoard": LISTS[list_id][1], "pos": 1024}

    def one_list(self, request, query, list_id):
        return simkit.Answer(200, self._list_bean(list_id)) if list_id in LISTS else text(404, "The requested resource was not found.")

    def me(self, request, query):
        bean = {"id": MEMBER, "username": "postroombot", "fullName": "Postroom bot", "memberType": "normal", "confirmed": True, "idBoards": list(BOARDS)}
        fields = self._fields(query)
        return simkit.Answer(200, {n: v for n, v in bean.items() if fields is None or n in fields | {"id"}})

    def my_boards(self, request, query):
        return simkit.Answer(200, [{"id": key, "name": name, "closed": False} for key, name in BOARDS.items()])

    def token(self, request, query, token):
        if not any(token in tokens for tokens in self.keys.values()):
            return text(404, "token not found")
        bean = {"id": MEMBER[:-2] + "aa", "identifier": "Postroom", "idMember": MEMBER, "dateCreated": iso(time.time() - 86400), "dateExpires": None,
                "permissions": [{"idModel": kind, "modelType": model, "read": True, "write": True} for kind, model in ((MEMBER, "Member"), ("*", "Board"))]}
        fields = self._fields(query)
        return simkit.Answer(200, {n: v for n, v in bean.items() if fields is None or n in fields | {"id"}})

    def batch(self, request, query):
        """Up to ten reads in one: each answer under its status."""
        urls = query.get("urls", "").split(",")
        if not urls or len(urls) > 10:
            return text(400, "invalid value for urls")
        answers = []
        for url in urls:
            path, _, rest = url.partition("?")
            answer = self._route(request, "GET", "/1" + path, dict(parse_qsl(rest)))
            value = json.loads(answer.body) if answer.status == 200 else answer.body.decode()
            answers.append({str(answer.status): value} if answer.status == 200 else {"statusCode": answer.status, "message": value, "name": "Error"})
        return simkit.Answer(200, answers)


def parse_moment(value):
    """Unix seconds of an object id, an ISO date or Unix milliseconds; None when it is none of them."""
    if re.fullmatch(r"[0-9a-fA-F]{24}", value):
        return int(value[:8], 16)
    if value.isdigit():
        return int(value) / 1000
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d+)?(?:Z|\+00:00))?", value)
    if not found:
        return None
    return calendar.timegm(time.strptime(f"{found[1]}T{found[2] or '00:00:00'}", "%Y-%m-%dT%H:%M:%S")) + float(found[3] or 0)


ROUTES = [("POST", "/cards/?", "create"), ("GET", "/cards/([^/]+)", "show"), ("GET", "/boards/([^/]+)/actions", "actions"), ("GET", "/boards/([^/]+)/lists", "board_lists"),
          ("GET", "/boards/([^/]+)", "board"), ("GET", "/lists/([^/]+)/cards", "list_cards"), ("GET", "/lists/([^/]+)", "one_list"), ("GET", "/members/me", "me"),
          ("GET", "/members/me/boards", "my_boards"), ("GET", "/tokens/([^/]+)", "token"), ("GET", "/batch", "batch")]


if __name__ == "__main__":
    simkit.run(__doc__, TrelloSite)
