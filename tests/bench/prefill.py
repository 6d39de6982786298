"""A store full of tickets, quickly: the rows that the ledger itself wrote for one ticket, again and again with other ids, numbers and times.

Whatever table the ledger fills for a ticket is filled here too, also one that did not exist when this was written. Nobody else may have the database open.
"""

import contextlib
import hashlib
import re
import sqlite3
import uuid

UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
SHA256 = re.compile(r"^[0-9a-f]{64}$")
OLDEST_TIME = 10**15   # microseconds: whatever is larger is a time
BETWEEN = 1_000        # microseconds from one ticket to the next
BATCH = 5_000          # tickets in one transaction
NAMESPACE = uuid.UUID("6c0b6d0e-6a3f-5d8e-9a43-0d8f2f0e7c11")


def tables(database):
    rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY rowid")
    return [name for name, in rows]


def rows_about(database, table, words):
    """The rows with one of the words in some column, and the names of their columns."""
    names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    found = [row for row in database.execute(f"SELECT * FROM {table}") if any(isinstance(value, str) and any(word in value for word in words) for value in row)]
    return names, found


class Pattern:
    """One row of the ticket that is copied: what of it changes, and how."""

    def __init__(self, table, names, row, ticket, next_seq):
        self.table, self.row, self.ticket, self.next_seq = table, row, ticket, next_seq
        self.makers = [self._maker(name, value) for name, value in zip(names, row)]
        self.sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"

    def _maker(self, name, value):
        known = {self.ticket["id"]: "ticket", self.ticket["arrival_id"]: "arrival"}
        if isinstance(value, int):
            if name == "seq":
                first, step = self.next_seq(self.table)
                return lambda copy: first + copy.n * step
            if name == "number":
                return lambda copy: value + copy.n
            return (lambda copy: value + copy.n * BETWEEN) if value > OLDEST_TIME else (lambda copy: value)
        if not isinstance(value, str):
            return lambda copy: value
        if value in known:
            which = known[value]
            return lambda copy: getattr(copy, which)
        if name in ("id", "message_id") and UUID.match(value):
            return lambda copy: copy.fresh()
        if SHA256.match(value):
            return lambda copy: hashlib.sha256(copy.ticket.encode()).hexdigest()
        number = f'"number":{self.ticket["number"]}'
        if self.ticket["title"] not in value and number not in value and not any(word in value for word in known):
            return lambda copy: value
        return lambda copy: (value.replace(self.ticket["id"], copy.ticket).replace(self.ticket["arrival_id"], copy.arrival).replace(self.ticket["title"], copy.title)
                             .replace(number, f'"number":{self.ticket["number"] + copy.n}'))


class Copy:
    """The n-th copy's ids."""

    def __init__(self, n):
        self.n, self.count = n, 0
        self.arrival = str(uuid.uuid5(NAMESPACE, f"arrival {n}"))
        self.ticket = str(uuid.uuid5(NAMESPACE, f"ticket {n}"))
        self.title = f"Prefilled {n}"

    def fresh(self):
        self.count += 1
        digest = hashlib.md5(f"{self.n} {self.count}".encode(), usedforsecurity=False).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-7{digest[13:16]}-8{digest[17:20]}-{digest[20:]}"


def patterns_of(database, ticket):
    per_ticket, firsts = {}, {}

    def next_seq(table):
        """(first, step): the serial numbers of this row's copies, which go on after the table's last."""
        first = firsts.setdefault(table, database.execute(f"SELECT max(seq) FROM {table}").fetchone()[0] + 1)
        place = per_ticket[table] = per_ticket.get(table, -1) + 1
        return first - counts[table] + place, counts[table]

    words = (ticket["id"], ticket["arrival_id"])
    found = [(table, *rows_about(database, table, words)) for table in tables(database)]
    counts = {table: len(rows) for table, _, rows in found}
    return [Pattern(table, names, row, ticket, next_seq) for table, names, rows in found for row in rows]


def fill(path, ticket_id, count, counters_before):
    """Copies the ticket `count` times. `counters_before`: the counters before it came, so that they grow as they would have grown."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.row_factory = sqlite3.Row
        ticket = dict(database.execute("SELECT * FROM tickets WHERE id = ?", (ticket_id,)).fetchone())
        database.row_factory = None
        patterns = patterns_of(database, ticket)
        grown = {name: value - counters_before.get(name, 0) for name, value in database.execute("SELECT name, value FROM counters")}
        database.execute("PRAGMA cache_size = -600000")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA foreign_keys = OFF")
        for start in range(1, count + 1, BATCH):
            copies = [Copy(n) for n in range(start, min(count + 1, start + BATCH))]
            database.execute("BEGIN")
            for pattern in patterns:
                database.executemany(pattern.sql, ([make(copy) for make in pattern.makers] for copy in copies))
            database.executemany("UPDATE counters SET value = value + ? WHERE name = ?", [(growth * len(copies), name) for name, growth in grown.items()])
            database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return {table: sum(pattern.table == table for pattern in patterns) for table in {pattern.table for pattern in patterns}}
