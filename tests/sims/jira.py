#!/usr/bin/env python3
"""Jira Cloud, REST v3, as far as Postroom talks to it: an issue per POST, never deduplicated, with a search index that lags behind.

Settings (POST /_sim/settings): index_lag_ms (number or [least, most], random per issue), key_gap (chance that a number is skipped),
labels_on_screen, priority_on_screen, required_fields [names], hidden (new issues invisible to the account), denied [permission keys],
read_only_projects [keys]. Default account bot@example.test with token jira-secret; POST /_sim/tokens {"account", "secret"} rotates it.
Projects SUP, OPS and LAB with issue types Task 10001, Bug 10002, Story 10003.
"""

import base64
import json
import random
import re
import time

import simkit
from jira_fields import OFF_SCREEN, labels_error, property_errors, rich_text_error, summary_error

PROJECTS = {"SUP": ("10000", "Support"), "OPS": ("10001", "Operations"), "LAB": ("10002", "Laboratory")}
ISSUE_TYPES = {"10001": "Task", "10002": "Bug", "10003": "Story"}
PRIORITIES = {"1": "Highest", "2": "High", "3": "Medium", "4": "Low", "5": "Lowest"}
PERMISSIONS = ["ADMINISTER", "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "DELETE_ISSUES", "LINK_ISSUES", "TRANSITION_ISSUES", "ADD_COMMENTS",
               "CREATE_ATTACHMENTS", "MODIFY_REPORTER", "ASSIGN_ISSUES", "ASSIGNABLE_USER"]
SETTINGS = {"index_lag_ms": 0, "key_gap": 0.0, "labels_on_screen": True, "priority_on_screen": True, "required_fields": [], "hidden": False, "denied": [],
            "read_only_projects": []}
ACCOUNT_ID = "5b10ac8d82e05b22cc7d4ef5"
PAYLOAD = "Invalid request payload. Refer to the REST API documentation and try again."
GONE = ("The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
        "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046")


def errors(status, *messages, **fields):
    return simkit.Answer(status, {"errorMessages": list(messages), "errors": fields})


def stamp(wall):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall)) + f".{int(wall * 1000) % 1000:03d}+0000"


class JiraSite:
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
        self.settings, self.accounts = dict(SETTINGS), {"bot@example.test": "jira-secret"}
        self.issues, self.by_key, self.numbers = {}, {}, {key: 0 for key in PROJECTS}

    # --- control ---

    def reset(self):
        self.journal.clear()
        self.clear()

    def set_tokens(self, value):
        self.accounts = {value["account"]: value["secret"]}

    def configure(self, changes):
        self.settings = simkit.settle_settings(self.settings, changes)

    def objects(self, full):
        return [dict({"id": i["id"], "key": i["key"], "marker": i["marker"], "created": i["created"], "at": i["at"]},
                     **({"fields": i["fields"], "properties": i["properties"]} if full else {})) for i in self.issues.values()]

    def error_body(self, status):
        words = {429: "Rate limit exceeded.", 401: "Client must be authenticated to access this resource.", 403: "Forbidden"}.get(status, "Internal server error")
        return "application/json;charset=UTF-8", json.dumps({"errorMessages": [words], "errors": {}}).encode()

    def common_headers(self, request):
        headers = {"Atl-Traceid": f"{self.chance.getrandbits(128):032x}", "X-Arequestid": f"{self.chance.getrandbits(128):032x}"}
        return dict(headers, **({"X-Aaccountid": ACCOUNT_ID} if self._login(request) == "ok" else {}))

    # --- the API ---

    def _login(self, request):
        """ok, none or wrong."""
        kind, _, credentials = request.headers.get("authorization", "").partition(" ")
        if not kind:
            return "none"
        try:
            account, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            return "wrong"
        return "ok" if kind.lower() == "basic" and secret and self.accounts.get(account) == secret else "wrong"

    def handle(self, request):
        if self._login(request) != "ok":
            answer = errors(401, "Client must be authenticated to access this resource.")
            answer.headers["WWW-Authenticate"] = 'OAuth realm="https%3A%2F%2Fsite.example.test"'
            if self._login(request) == "wrong":
                answer.headers["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED"
            return answer
        path = request.path.removeprefix("/rest/api/3")
        for method, pattern, name in ROUTES:
            if method == request.method and (found := re.fullmatch(pattern, path)) and path != request.path:
                return getattr(self, name)(request, *found.groups())
        return simkit.Answer(404, {"errorMessages": [f"No endpoint {request.method} {request.path}"], "errors": {}})

    def create(self, request):
        body = request.json()
        if not isinstance(body, dict) or set(body) - {"fields", "update", "transition", "properties", "historyMetadata"} or not isinstance(body.get("fields"), dict):
            return errors(400, PAYLOAD)
        fields, properties = body["fields"], body.get("properties", [])
        if wrong := property_errors(properties):
            return errors(400, *wrong)
        wrong = self._field_errors(fields)
        if wrong:
            return errors(400, **wrong)
        project = self._project(fields["project"])
        if project in self.settings["read_only_projects"] or "CREATE_ISSUES" in self.settings["denied"]:
            return errors(403, "You do not have permission to create issues in this project.")
        issue = self._commit(request, project, fields, properties)
        return simkit.Answer(201, {"id": issue["id"], "key": issue["key"], "self": self._self(request, issue)}, committed=issue["key"], title=fields["summary"])

    def _field_errors(self, fields):
        """Field name → Jira's text."""
        checks = {"summary": summary_error, "description": rich_text_error, "environment": rich_text_error, "labels": labels_error}
        screen = {"project", "issuetype", "summary", "description", "environment", "duedate", "assignee", "reporter", "parent"} | set(self.settings["required_fields"])
        screen |= {"labels"} if self.settings["labels_on_screen"] else set()
        screen |= {"priority"} if self.settings["priority_on_screen"] else set()
        wrong = {name: OFF_SCREEN.format(name) for name in fields if name not in screen}
        project = self._project(fields.get("project"))
        if project is None:
            wrong["project"] = "Specify a valid project ID or key"
        if self._issue_type(fields.get("issuetype")) is None:
            wrong["issuetype"] = "Specify a valid issue type"
        if "summary" not in fields:
            wrong["summary"] = "You must specify a summary of the issue."
        for name in self.settings["required_fields"]:
            if name not in fields:
                wrong[name] = f"{name} is required."
        if "priority" in fields and "priority" not in wrong and not self._one_of(fields["priority"], PRIORITIES):
            wrong["priority"] = "Specify the Priority (id or name) in the string format"
        for name, check in checks.items():
            if name in fields and name not in wrong and (text := check(fields[name])):
                wrong[name] = text
        return wrong

    @staticmethod
    def _one_of(value, table):
        if not isinstance(value, dict):
            return None
        return value.get("id") if value.get("id") in table else next((key for key, name in table.items() if name == value.get("name")), None)

    @staticmethod
    def _project(value):
        if not isinstance(value, dict):
            return None
        return value.get("key") if value.get("key") in PROJECTS else next((key for key, (number, _) in PROJECTS.items() if number == value.get("id")), None)

    def _issue_type(self, value):
        return self._one_of(value, ISSUE_TYPES)

    def _commit(self, request, project, fields, properties):
        number = self.numbers[project] + 1
        while self.chance.random() < self.settings["key_gap"]:
            number += 1
        lag = self.settings["index_lag_ms"]
        lag = self.chance.uniform(*lag) if isinstance(lag, list) else lag
        wall = time.time()
        issue = {"id": str(20000 + len(self.issues)), "key": f"{project}-{number}", "project": project, "number": number, "at": wall, "created": stamp(wall),
                 "indexed_at": wall + lag / 1000, "marker": request.marker, "hidden": self.settings["hidden"],
                 "fields": dict(fields, issuetype={"id": self._issue_type(fields["issuetype"])}), "properties": {p["key"]: p["value"] for p in properties}}
        self._remember(issue)
        self.journal.append(issue)
        return issue

    def _remember(self, issue):
        self.issues[issue["id"]] = self.by_key[issue["key"]] = issue
        self.numbers[issue["project"]] = max(self.numbers[issue["project"]], issue["number"])

    def _find(self, id_or_key):
        issue = self.issues.get(id_or_key) or self.by_key.get(id_or_key.upper())
        return issue if issue and not issue["hidden"] else None

    @staticmethod
    def _self(request, issue):
        return f"https://{request.headers.get('host', 'localhost')}/rest/api/3/issue/{issue['id']}"

    def _bean(self, request, issue, names, properties):
        fields = {**issue["fields"], "created": issue["created"], "updated": issue["created"], "project": {"id": PROJECTS[issue["project"]][0], "key": issue["project"],
                  "name": PROJECTS[issue["project"]][1]}, "issuetype": {"id": issue["fields"]["issuetype"]["id"], "name": ISSUE_TYPES[issue["fields"]["issuetype"]["id"]]},
                  "labels": issue["fields"].get("labels", []), "status": {"id": "10100", "name": "To Do", "statusCategory": {"id": 2, "key": "new", "name": "To Do"}},
                  "creator": {"accountId": ACCOUNT_ID, "displayName": "Postroom bot"}}
        if not names & {"*all", "*navigable"}:
            fields = {name: value for name, value in fields.items() if name in names}
        bean = {"expand": "", "id": issue["id"], "self": self._self(request, issue), "key": issue["key"], "fields": fields}
        if properties:
            bean["properties"] = {key: issue["properties"][key] for key in properties if key in issue["properties"]}
        return bean

    def show(self, request, id_or_key):
        issue = self._find(id_or_key)
        if issue is None:
            return errors(404, "Issue does not exist or you do not have permission to see it.")
        names = set(filter(None, request.query.get("fields", "*all").split(",")))
        return simkit.Answer(200, self._bean(request, issue, names, list(filter(None, request.query.get("properties", "").split(",")))))

    def bulk_fetch(self, request):
        body = request.json()
        known = {"issueIdsOrKeys", "fields", "properties", "expand", "fieldsByKeys"}
        if not isinstance(body, dict) or set(body) - known or not isinstance(body.get("issueIdsOrKeys"), list) or len(body.get("properties", [])) > 5:
            return errors(400, PAYLOAD)
        if len(body["issueIdsOrKeys"]) > 100:
            return errors(400, "The number of issues requested exceeds the limit of 100.")
        found = {issue["id"]: issue for wanted in body["issueIdsOrKeys"] if (issue := self._find(str(wanted)))}
        names = set(body.get("fields", ["*navigable"]))
        return simkit.Answer(200, {"issues": [self._bean(request, found[i], names, body.get("properties", [])) for i in sorted(found, key=int)], "issueErrors": []})

    def search(self, request):
        body = request.json()
        known = {"jql", "fields", "nextPageToken", "maxResults", "expand", "properties", "reconcileIssues", "fieldsByKeys"}
        if not isinstance(body, dict) or set(body) - known or not isinstance(body.get("jql"), str):
            return errors(400, PAYLOAD)
        try:
            wanted, newest_first = parse_jql(body["jql"])
        except ValueError as wrong:
            return errors(400, str(wrong))
        reconcile = {str(number) for number in body.get("reconcileIssues", [])}
        hits = [i for i in self.issues.values() if (i["indexed_at"] <= time.time() or i["id"] in reconcile) and not i["hidden"]
                and i["project"] in wanted.get("project", PROJECTS) and (set(i["fields"].get("labels", [])) & wanted["labels"] if "labels" in wanted else True)]
        hits.sort(key=lambda issue: int(issue["id"]), reverse=newest_first)
        start, size = int(body.get("nextPageToken") or 0), min(int(body.get("maxResults", 50)), 5000)
        names, page = body.get("fields", ["id"]), hits[start:start + size]
        beans = [{"id": i["id"]} if names == ["id"] else self._bean(request, i, set(names), body.get("properties", [])) for i in page]
        last = start + size >= len(hits)
        return simkit.Answer(200, {"issues": beans, "isLast": last} | ({} if last else {"nextPageToken": str(start + size)}))

    def removed(self, request):
        return errors(410, GONE)

    def myself(self, request):
        return simkit.Answer(200, {"self": f"https://{request.headers.get('host')}/rest/api/3/user?accountId={ACCOUNT_ID}", "accountId": ACCOUNT_ID, "accountType": "atlassian",
                                   "emailAddress": next(iter(self.accounts)), "displayName": "Postroom bot", "active": True, "timeZone": "Etc/UTC", "locale": "en_US"})

    def my_permissions(self, request):
        asked = list(filter(None, request.query.get("permissions", "").split(",")))
        if not asked:
            return errors(400, "The 'permissions' query parameter is required.")
        if unknown := [key for key in asked if key not in PERMISSIONS]:
            return errors(400, f"Unrecognized permission keys: {', '.join(unknown)}")
        project = request.query.get("projectKey")
        if project is not None and project not in PROJECTS:
            return errors(404, f"No project could be found with key '{project}'.")
        denied = set(self.settings["denied"]) | ({"CREATE_ISSUES"} if project in self.settings["read_only_projects"] else set()) | {"ADMINISTER"}
        return simkit.Answer(200, {"permissions": {key: {"id": str(PERMISSIONS.index(key)), "key": key, "name": key.replace("_", " ").title(), "type": "PROJECT",
                                                         "description": "", "havePermission": key not in denied} for key in asked}})

    def server_info(self, request):
        return simkit.Answer(200, {"baseUrl": f"https://{request.headers.get('host')}", "version": "1001.0.0-SNAPSHOT", "versionNumbers": [1001, 0, 0], "deploymentType": "Cloud",
                                   "buildNumber": 100300, "buildDate": "2026-11-01T00:00:00.000+0000", "serverTime": stamp(time.time()), "scmInfo": "0" * 40,
                                   "serverTitle": f"Site {self.number}", "defaultLocale": {"locale": "en_US"}, "displayUrl": f"https://{request.headers.get('host')}"})

    @staticmethod
    def _project_bean(key):
        return {"id": PROJECTS[key][0], "key": key, "name": PROJECTS[key][1], "projectTypeKey": "software", "simplified": False, "style": "classic", "isPrivate": False}

    def project_search(self, request):
        query, start, size = request.query.get("query", "").lower(), int(request.query.get("startAt", 0)), min(int(request.query.get("maxResults", 50)), 100)
        keys = [key for key in PROJECTS if (query in key.lower() or query in PROJECTS[key][1].lower())
                and not (request.query.get("action") == "create" and key in self.settings["read_only_projects"])]
        return simkit.Answer(200, {"startAt": start, "maxResults": size, "total": len(keys), "isLast": start + size >= len(keys),
                                   "values": [self._project_bean(key) for key in keys[start:start + size]]})

    def project(self, request, id_or_key):
        key = id_or_key if id_or_key in PROJECTS else self._project({"id": id_or_key})
        if key is None:
            return errors(404, f"No project could be found with key '{id_or_key}'.")
        return simkit.Answer(200, dict(self._project_bean(key), issueTypes=[self._type_bean(number) for number in ISSUE_TYPES]))

    @staticmethod
    def _type_bean(number):
        return {"id": number, "name": ISSUE_TYPES[number], "description": "", "subtask": False, "hierarchyLevel": 0}

    def create_types(self, request, id_or_key):
        if id_or_key not in PROJECTS and self._project({"id": id_or_key}) is None:
            return errors(400, "Project not found or you do not have permission to create issues in it.")
        types = [self._type_bean(number) for number in ISSUE_TYPES]
        return simkit.Answer(200, {"startAt": 0, "maxResults": 50, "total": len(types), "issueTypes": types})

    def create_fields(self, request, id_or_key, number):
        if (id_or_key not in PROJECTS and self._project({"id": id_or_key}) is None) or number not in ISSUE_TYPES:
            return errors(400, "Issue type not found or you do not have permission to create issues of it.")
        kinds = {"project": "project", "issuetype": "issuetype", "summary": "string", "description": "string"}
        kinds |= {"labels": "array"} if self.settings["labels_on_screen"] else {}
        kinds |= {"priority": "priority"} if self.settings["priority_on_screen"] else {}
        kinds |= {name: "string" for name in self.settings["required_fields"]}
        always = {"project", "issuetype", "summary"} | set(self.settings["required_fields"])
        fields = [{"fieldId": name, "key": name, "name": name.capitalize(), "required": name in always, "hasDefaultValue": False, "operations": ["set"],
                   "schema": {"type": kind, "system": name}} for name, kind in kinds.items()]
        for field in fields:
            if field["key"] == "priority":
                field["allowedValues"] = [{"id": key, "name": name} for key, name in PRIORITIES.items()]
        return simkit.Answer(200, {"startAt": 0, "maxResults": 50, "total": len(fields), "fields": fields})


ROUTES = [("POST", "/issue", "create"), ("POST", "/issue/bulkfetch", "bulk_fetch"), ("POST", "/search/jql", "search"), ("GET", "/search", "removed"),
          ("POST", "/search", "removed"), ("GET", "/myself", "myself"), ("GET", "/mypermissions", "my_permissions"), ("GET", "/serverInfo", "server_info"),
          ("GET", "/project/search", "project_search"), ("GET", "/project/([^/]+)", "project"),
          ("GET", "/issue/createmeta/([^/]+)/issuetypes", "create_types"), ("GET", "/issue/createmeta/([^/]+)/issuetypes/([^/]+)", "create_fields"),
          ("GET", "/issue/([^/]+)", "show")]


def parse_jql(text):
    """({"project": keys, "labels": labels}, newest first) of the subset: field = value, field in (values), AND, ORDER BY created|key [ASC|DESC]."""
    condition, _, order = re.sub(r"\s+", " ", text.strip()).partition("ORDER BY ") if "ORDER BY " in text else re.sub(
        r"\s+", " ", text.strip()).partition("order by ")
    if order and not re.fullmatch(r"(created|key|id)( (ASC|DESC))?", order, re.IGNORECASE):
        raise ValueError(f"Error in the JQL Query: cannot order by '{order}'.")
    if not condition.strip():
        raise ValueError("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    wanted = {}
    for clause in re.split(r" and ", condition.strip(), flags=re.IGNORECASE):
        found = re.fullmatch(r'(project|labels) ?(?:= ?("?)([^"()]+)\2|in ?\(([^)]*)\))', clause.strip(), re.IGNORECASE)
        if not found:
            raise ValueError(f"Error in the JQL Query: near '{clause.strip()}'.")
        values = {v.strip().strip('"') for v in (found.group(4) or found.group(3)).split(",")}
        if found.group(1).lower() == "project" and (unknown := [v for v in values if v not in PROJECTS]):
            raise ValueError(f"The value '{unknown[0]}' does not exist for the field 'project'.")
        wanted[found.group(1).lower()] = values
    return wanted, order.upper().endswith("DESC") or (bool(order) and not order.upper().endswith("ASC"))


if __name__ == "__main__":
    simkit.run(__doc__, JiraSite)
