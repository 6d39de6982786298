"""What the simulators share: an HTTP/1.1 server that can misbehave on request, the raw request log, and the control surface /_sim.

The log is the evidence that judges read: one JSON line per request, written before the answer leaves, flushed to disk when something was created.
  t, wall      arrival of the head: monotonic and Unix seconds        started_us  the same in microseconds (monotonic)
  site, connection, peer (the client's port), agent, method, path, marker (found in the request)
  status (null: none was sent), committed (id of the created object or null), title (of the created object)
  fault        the rule's action, or null                             late  true on the second line of a late commit
  complete     false when the client left before the whole request had come
"""

import argparse
import asyncio
import json
import os
import re
import socket
import ssl
import struct
import sys
import time
from urllib.parse import parse_qsl, unquote, urlsplit

from faults import Rules, rule_answer

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MARKER = re.compile(rf"({UUID}\.{UUID})".encode())
HEAD_LIMIT, BODY_LIMIT = 64 * 1024, 32 * 1024 * 1024
REASONS = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           410: "Gone", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


class Request:
    """One request as it came."""

    def __init__(self, site, connection, peer, method, target, headers):
        self.site, self.connection, self.peer, self.method, self.target, self.headers = site, connection, peer, method, target, headers
        parts = urlsplit(target)
        self.path = unquote(parts.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.body = b""
        self.complete = False
        self.at, self.wall = time.monotonic(), time.time()

    @property
    def marker(self):
        found = MARKER.search(unquote(self.target).encode()) or MARKER.search(self.body) or MARKER.search(unquote(self.body.decode("latin-1")).encode())
        return found.group(1).decode() if found else None

    def json(self):
        """The body as JSON, or None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Answer:
    """What goes back; `committed` names the object that was created, `title` is what it is called."""

    def __init__(self, status, value=None, committed=None, title=None, content_type=None, headers=None):
        self.status, self.committed, self.title, self.headers = status, committed, title, headers or {}
        if isinstance(value, (str, bytes)):
            self.body = value.encode() if isinstance(value, str) else value
            self.content_type = content_type or "text/plain; charset=utf-8"
        else:
            self.body = b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
            self.content_type = content_type or "application/json;charset=UTF-8"


class RequestLog:
    """Append-only, survives a SIGKILL of the simulator; what was created is on disk before anybody hears of it."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644) if path else None

    def write(self, request, status, committed, fault, late=False, title=None):
        if self.file is None:
            return
        line = {"t": round(request.at, 6), "started_us": int(request.at * 1e6), "wall": round(request.wall, 6), "logged": round(time.monotonic(), 6),
                "site": request.site, "connection": request.connection, "peer": request.peer, "agent": request.headers.get("user-agent", ""),
                "method": request.method, "path": request.path, "marker": request.marker, "status": status, "committed": committed, "title": title,
                "fault": fault, "complete": request.complete, "late": late}
        os.write(self.file, json.dumps(line).encode() + b"\n")
        if committed is not None:
            os.fsync(self.file)


class Journal:
    """Created objects and changed tokens, one JSON line each, so that a restarted simulator knows what it holds and whom it lets in."""

    def __init__(self, path):
        self.path = path

    def load(self):
        if not self.path or not os.path.exists(self.path):
            return []
        with open(self.path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]

    def append(self, record):
        if self.path:
            with open(self.path, "a", encoding="utf-8") as lines:
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")

    def clear(self):
        if self.path:
            open(self.path, "w", encoding="utf-8").close()


class BadHead(Exception):
    """The client does not speak HTTP/1.1."""


class Server:
    """One listening port per site; `sites[n].handle(request)` decides and commits at once and returns an Answer.

    A site also has: error_body(status) → (content type, bytes), common_headers(request) → dict, objects(full) → list, reset(), set_tokens(dict), configure(dict)."""

    def __init__(self, sites, log, seed):
        self.sites, self.log, self.rules = sites, log, Rules(seed)
        self.connections = 0
        self.open = {}  # request → what is being done with it
        self.released = asyncio.Event()

    async def listen(self, host, ports, tls):
        servers = []
        for number, port in enumerate(ports):
            handler = lambda reader, writer, site=number: self._connection(site, reader, writer)
            servers.append(await asyncio.start_server(handler, host, port, ssl=tls, limit=HEAD_LIMIT, backlog=1024))
        print("listening on " + " ".join(str(server.sockets[0].getsockname()[1]) for server in servers), flush=True)
        await asyncio.gather(*(server.serve_forever() for server in servers))

    async def _connection(self, site, reader, writer):
        self.connections += 1
        connection = self.connections
        try:
            while await self._exchange(site, connection, reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, BadHead, ssl.SSLError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _exchange(self, site, connection, reader, writer):
        """Serves one request; False when the connection is over."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise BadHead from None
        request = self._parse_head(site, connection, writer.get_extra_info("peername")[1], head)
        if not request.path.startswith("/_sim/"):
            rule, _, _ = self.rules.pick(request, at_head=True)
            if rule:
                self.log.write(request, None, None, "reset_before")
                reset(writer)
                return False
        try:
            if request.headers.get("expect", "").lower() == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.body = await self._read_body(request, reader)
            request.complete = True
        except (ConnectionError, asyncio.IncompleteReadError) as gone:
            request.body = getattr(gone, "partial", b"")
            self.log.write(request, None, None, "incomplete")
            raise
        if request.path.startswith("/_sim/"):
            return await self._send(request, self._control(request), writer)
        self.open[request] = "arrived"
        try:
            return await self._serve(request, reader, writer)
        finally:
            del self.open[request]

    @staticmethod
    def _parse_head(site, connection, peer, head):
        lines = head.decode("latin-1").split("\r\n")
        start = lines[0].split(" ")
        if len(start) != 3 or not start[2].startswith("HTTP/1."):
            raise BadHead
        headers = {}
        for line in lines[1:]:
            if line:
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
        return Request(site, connection, peer, start[0], start[1], headers)

    @staticmethod
    async def _read_body(request, reader):
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                body += await reader.readexactly(size)
                await reader.readexactly(2)
                if len(body) > BODY_LIMIT:
                    raise BadHead
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass
            return body
        length = int(request.headers.get("content-length", "0"))
        if length > BODY_LIMIT:
            raise BadHead
        return await reader.readexactly(length)

    def _execute(self, request, fault, status=None, late=False):
        """Commits and logs; from here on the object exists, whoever dies."""
        answer = self.sites[request.site].handle(request)
        self.log.write(request, answer.status if status is None else status or None, answer.committed, fault, late, answer.title)
        if request in self.open:
            self.open[request] = "committed" if answer.committed else "answered"
        return answer

    async def _serve(self, request, reader, writer):
        rule, before, after = self.rules.pick(request, at_head=False)
        action = rule["action"] if rule else None
        if before:
            await asyncio.sleep(before)
        if action in ("status", "html"):
            return await self._refuse(request, rule, writer)
        if action in ("hang", "drop_before_commit"):
            self.log.write(request, None, None, action)
            if action == "hang":
                await client_gone(reader, rule.get("seconds"))
            drop(writer, rule.get("how", "rst"))
            return False
        if action == "late_commit":
            return await self._commit_late(request, rule, reader, writer)
        if action == "hold" and rule.get("at", "before") == "before":
            await self.released.wait()
        if action == "commit_then_drop":
            how = rule.get("how", "rst")
            answer = self._execute(request, action, status=rule.get("status", 504) if how == "status" else 0)
            if how == "status":
                return await self._send(request, self._error(request, rule.get("status", 504)), writer)
            drop(writer, how)
            return False
        answer = self._execute(request, action)
        if action == "hold" and rule.get("at") == "after":
            await self.released.wait()
        if after:
            await asyncio.sleep(after)
        if action == "drip":
            return await self._drip(request, answer, rule, reader, writer)
        return await self._send(request, answer, writer)

    def _error(self, request, status):
        content_type, body = self.sites[request.site].error_body(status)
        return Answer(status, body, content_type=content_type)

    async def _refuse(self, request, rule, writer):
        status, headers, content_type, body = rule_answer(rule, self.sites[request.site].error_body)
        if rule.get("commit"):
            self._execute(request, rule["action"], status=status)
        else:
            self.log.write(request, status, None, rule["action"])
        return await self._send(request, Answer(status, body, content_type=content_type, headers=headers), writer)

    async def _commit_late(self, request, rule, reader, writer):
        how = rule.get("how", "rst")
        self.log.write(request, rule.get("status", 504) if how == "status" else None, None, "late_commit")
        if how == "status":
            await self._send(request, self._error(request, rule.get("status", 504)), writer)
        elif how == "hang":
            await client_gone(reader, rule.get("seconds"))
        drop(writer, how if how == "rst" else "fin")
        self.open[request] = "late"
        await asyncio.sleep(rule.get("after_ms", 1000) / 1000)
        self._execute(request, "late_commit", status=0, late=True)
        return False

    def _bytes(self, request, answer):
        headers = {"Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()), "Content-Type": answer.content_type,
                   "Content-Length": str(len(answer.body))}
        if not request.path.startswith("/_sim/"):
            headers.update(self.sites[request.site].common_headers(request))
        headers.update(answer.headers)
        headers["Connection"] = "keep-alive" if keeps_alive(request) else "close"
        head = f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Status')}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers.items()) + "\r\n"
        return head.encode("latin-1") + answer.body

    async def _send(self, request, answer, writer):
        writer.write(self._bytes(request, answer))
        await writer.drain()
        return keeps_alive(request)

    async def _drip(self, request, answer, rule, reader, writer):
        data, chunk = self._bytes(request, answer), rule.get("chunk", 1)
        for at in range(0, len(data), chunk):
            writer.write(data[at:at + chunk])
            await writer.drain()
            if await client_gone(reader, rule.get("interval_ms", 200) / 1000):
                return False
        return False

    def _control(self, request):
        """Requests of the test itself. `site` in a body picks one site, else all."""
        name, value = request.path.removeprefix("/_sim/"), request.json() if request.body else {}
        chosen = self.sites if not isinstance(value, dict) or "site" not in value else [self.sites[value["site"]]]
        try:
            if (request.method, name) == ("POST", "rules"):
                self.rules.replace(value)
            elif (request.method, name) == ("GET", "rules"):
                return Answer(200, {"rules": self.rules.rules})
            elif (request.method, name) == ("GET", "objects"):
                full = request.query.get("full") == "1"
                return Answer(200, {"objects": [dict(o, site=n) for n, site in enumerate(self.sites) for o in site.objects(full)]})
            elif (request.method, name) == ("GET", "open"):
                return Answer(200, {"open": [{"site": r.site, "method": r.method, "path": r.path, "marker": r.marker, "connection": r.connection,
                                              "peer": r.peer, "agent": r.headers.get("user-agent", ""), "since": r.at, "state": state} for r, state in self.open.items()]})
            elif (request.method, name) == ("POST", "reset"):
                self.rules.replace([])
                self._release()
                for site in chosen:
                    site.reset()
            elif (request.method, name) == ("POST", "tokens"):
                for site in chosen:
                    site.set_tokens(value)
                    site.journal.append({"tokens": value})
            elif (request.method, name) == ("POST", "settings"):
                for site in chosen:
                    site.configure({k: v for k, v in value.items() if k != "site"})
            elif (request.method, name) == ("POST", "release"):
                self._release()
            else:
                return Answer(404, {"error": f"no such control: {request.method} {request.path}"})
        except (ValueError, KeyError, IndexError, TypeError) as wrong:
            return Answer(400, {"error": str(wrong)})
        return Answer(200, {"ok": True})

    def _release(self):
        self.released.set()
        self.released = asyncio.Event()


def keeps_alive(request):
    return request.headers.get("connection", "").lower() != "close"


def reset(writer):
    """Closes with RST instead of FIN."""
    if (sock := writer.get_extra_info("socket")) is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def drop(writer, how):
    reset(writer) if how == "rst" else writer.close()


async def client_gone(reader, seconds=None):
    """True when the client has closed its side; False when it is still there after `seconds`."""
    async def until_end():
        try:
            while await reader.read(65536):
                pass
        except (ConnectionError, ssl.SSLError):
            pass

    try:
        await asyncio.wait_for(until_end(), seconds)
        return True
    except TimeoutError:
        return False


def settle_settings(known, changes):
    """Merges settings, refusing unknown names."""
    for name in set(changes) - set(known):
        raise ValueError(f"unknown setting {name}; known: {', '.join(sorted(known))}")
    return {**known, **changes}


def run(summary, make_site):
    """The main program of a simulator. make_site(number, journal, seed) → a site."""
    parser = argparse.ArgumentParser(description=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of the first site; 0 chooses free ports; more sites take the ports after it")
    parser.add_argument("--sites", type=int, default=1, help="independent sites, one port each")
    parser.add_argument("--log", help="raw request log, appended")
    parser.add_argument("--state", help="file that keeps created objects over a restart")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tls = None
    if options.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*options.tls)
    names = [f"{options.state}.{n}" if options.state and n else options.state for n in range(options.sites)]
    sites = [make_site(n, Journal(name), options.seed + n) for n, name in enumerate(names)]
    server = Server(sites, RequestLog(options.log), options.seed)
    ports = [options.port + n if options.port else 0 for n in range(options.sites)]
    try:
        asyncio.run(server.listen(options.host, ports, tls))
    except KeyboardInterrupt:
        sys.exit(0)
