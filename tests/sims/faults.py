"""Fault rules of the simulators: which request is treated how. Set by POST /_sim/rules as a JSON list, which replaces all.

A rule: {"match": {"method", "path", "path_prefix", "site", "contains"}, "action": …, "times": n | "probability": p, "after": n, arguments of the action}.
All members of match are optional; "contains" looks into query and body. Rules are tried in order; "latency" adds up and the search goes on, the
first other rule that fires wins. "times" counts down; "after" lets the first n matches pass; chance comes from one seeded generator.

  latency             ms, jitter_ms; before_ms and after_ms instead place it before or after the commit (else a random share of ms)
  status              status, body_kind json|text|html|empty, body, headers {}, retry_after_s, retry_after_date_s, reset_in_s, reason; not executed
  html                status (default 502): an HTML page; not executed, unless commit is true
  hang                reads the request, never answers, not executed; ends when the client leaves, or after seconds
  drip                executed; the answer comes chunk bytes (1) every interval_ms (200)
  hold                waits for POST /_sim/release, at "before" or "after" the commit
  reset_before        RST after the head, before the body is read
  drop_before_commit  reads all, executes nothing, drops the connection: how rst|fin
  commit_then_drop    executes, then drops: how rst|fin|status (status 504)
  late_commit         drops at once (how rst|fin|hang|status), executes after_ms after the client is gone
"""

import random
import time
from email.utils import formatdate

ACTIONS = {"latency", "status", "html", "hang", "drip", "hold", "reset_before", "drop_before_commit", "commit_then_drop", "late_commit"}
MEMBERS = {"match", "action", "times", "probability", "after", "ms", "jitter_ms", "before_ms", "after_ms", "status", "body_kind", "body", "headers",
           "retry_after_s", "retry_after_date_s", "reset_in_s", "reason", "commit", "seconds", "chunk", "interval_ms", "at", "how", "name"}
HTML_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1><p>The request could not be served. Ref {1}</p></body></html>"


class Rules:
    """The rules in force, with how often each was used."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.rules = []

    def replace(self, rules):
        """Raises ValueError with a sentence when a rule makes no sense: a test with a typo must not pass."""
        if not isinstance(rules, list):
            raise ValueError("the rules must be a JSON list")
        for number, rule in enumerate(rules):
            if not isinstance(rule, dict) or rule.get("action") not in ACTIONS:
                raise ValueError(f"rule {number}: action must be one of {', '.join(sorted(ACTIONS))}")
            for name in set(rule) - MEMBERS:
                raise ValueError(f"rule {number}: unknown member {name}")
            for name in set(rule.get("match", {})) - {"method", "path", "path_prefix", "site", "contains"}:
                raise ValueError(f"rule {number}: unknown member match.{name}")
            if rule["action"] == "status" and not 100 <= int(rule.get("status", 0)) <= 599:
                raise ValueError(f"rule {number}: status needs a status")
        self.rules = [dict(rule, used=0, seen=0) for rule in rules]

    def pick(self, request, at_head):
        """The rule for this request or None, and the latency before and after the commit in seconds.

        Called twice: at the head (only reset_before can fire then) and with the body."""
        before = after = 0.0
        for rule in self.rules:
            if (rule["action"] == "reset_before") != at_head or not self._matches(rule, request):
                continue
            rule["seen"] += 1
            if rule["seen"] <= rule.get("after", 0) or rule["used"] >= rule.get("times", float("inf")):
                continue
            if "probability" in rule and self.chance.random() >= rule["probability"]:
                continue
            rule["used"] += 1
            if rule["action"] != "latency":
                return rule, before, after
            total = (rule.get("ms", 0) + self.chance.random() * rule.get("jitter_ms", 0)) / 1000
            share = self.chance.random()
            before += rule.get("before_ms", 0) / 1000 + total * share
            after += rule.get("after_ms", 0) / 1000 + total * (1 - share)
        return None, before, after

    @staticmethod
    def _matches(rule, request):
        match = rule.get("match", {})
        if "contains" in match and match["contains"].encode() not in request.target.encode() + b"\n" + request.body:
            return False
        return (match.get("method", request.method) == request.method and match.get("path", request.path) == request.path
                and request.path.startswith(match.get("path_prefix", "")) and match.get("site", request.site) == request.site)


def rule_answer(rule, error_body):
    """Status, headers and body of the answer that a status or html rule asks for. error_body(status) makes the far side's own error."""
    status = rule.get("status", 502)
    headers = dict(rule.get("headers", {}))
    if "retry_after_s" in rule:
        headers["Retry-After"] = str(rule["retry_after_s"])
    if "retry_after_date_s" in rule:
        headers["Retry-After"] = formatdate(time.time() + rule["retry_after_date_s"], usegmt=True)
    if "reset_in_s" in rule:
        headers["X-RateLimit-Limit"] = "100"
        headers["X-RateLimit-Remaining"] = "0"
        headers["X-RateLimit-Reset"] = time.strftime("%Y-%m-%dT%H:%MZ" if rule["reset_in_s"] >= 120 else "%Y-%m-%dT%H:%M:%SZ",
                                                     time.gmtime(time.time() + rule["reset_in_s"]))
    if "reason" in rule:
        headers["RateLimit-Reason"] = rule["reason"]
    kind = "html" if rule["action"] == "html" else rule.get("body_kind", "json")
    if kind == "empty":
        return status, headers, "text/plain", b""
    if "body" in rule:
        return status, headers, {"html": "text/html", "text": "text/plain"}.get(kind, "application/json"), rule["body"].encode()
    if kind == "html":
        return status, headers, "text/html; charset=utf-8", HTML_PAGE.format(status, int(time.time() * 1e6)).encode()
    if kind == "text":
        return status, headers, "text/plain; charset=utf-8", f"error {status}".encode()
    content_type, body = error_body(status)
    return status, headers, content_type, body
