-- The spine: boards, connections, arrivals, tickets, deliveries, standby, and what makes every step repeatable.
-- Shared subset of SQLite and PostgreSQL: text UUIDs; BIGINT microseconds UTC (or milliseconds where the name says so); JSON as text; 0/1 flags.

CREATE TABLE installation (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Maintained in the same transaction as what they count: ticket_number (last given), and the balance of I3
-- (arrivals_accepted, arrivals_opened, arrivals_standby, arrivals_deleted).
CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);

CREATE TABLE connections (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  kind          TEXT NOT NULL,            -- jira | trello
  base_url      TEXT NOT NULL,
  account       TEXT NOT NULL,            -- Jira: e-mail address; Trello: API key
  secret_sealed TEXT NOT NULL,            -- for the worker kind of that name
  state         TEXT NOT NULL,            -- unknown | ok | failing
  reason_class  TEXT NOT NULL,            -- of failing, see ReasonClass
  reason        TEXT NOT NULL,
  state_at      BIGINT NOT NULL,
  is_paused     BIGINT NOT NULL,          -- by an operator
  version       BIGINT NOT NULL,
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX connections_name ON connections (name);

-- How fast a far side may be called. One per connection, same id.
CREATE TABLE destinations (
  id              TEXT PRIMARY KEY,
  worker          TEXT NOT NULL,          -- jira | trello: the queue
  window_size     BIGINT NOT NULL,        -- unfinished jobs allowed in the queues
  in_flight       BIGINT NOT NULL,        -- deliveries in dispatched or claimed, maintained
  circuit         TEXT NOT NULL,          -- closed | open | probing
  failures        BIGINT NOT NULL,        -- consecutive
  paused_until    BIGINT NOT NULL,        -- Retry-After, quota, or the open circuit's next probe; 0 = not
  pause_reason    TEXT NOT NULL,
  rate_per_second_milli BIGINT NOT NULL,  -- token bucket from announced limits, in thousandths; 0 = none
  tokens_milli    BIGINT NOT NULL,
  tokens_at       BIGINT NOT NULL
);

CREATE TABLE boards (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  state         TEXT NOT NULL,            -- active | archived
  is_public     BIGINT NOT NULL,
  keywords      TEXT NOT NULL,            -- JSON array of strings
  target_kind   TEXT NOT NULL,            -- desk | jira | trello
  connection_id TEXT REFERENCES connections (id),
  target        TEXT NOT NULL,            -- JSON, messages::Target
  version       BIGINT NOT NULL,
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX boards_name ON boards (name);
CREATE INDEX boards_connection ON boards (connection_id);

-- Something came in. Its row exists before anything is decided about it.
CREATE TABLE arrivals (
  id             TEXT PRIMARY KEY,        -- API and form: the command's id
  kind           TEXT NOT NULL,           -- public | api | mail | …
  natural_key    TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  ticket_id      TEXT NOT NULL,           -- promised
  board_id       TEXT,                    -- asked for, or decided
  state          TEXT NOT NULL,           -- opened | standby | deleted
  standby_id     TEXT,
  actor          TEXT NOT NULL,
  accepted_at    BIGINT NOT NULL,         -- the front door's time
  decided_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX arrivals_natural ON arrivals (kind, natural_key);
CREATE INDEX arrivals_ticket ON arrivals (ticket_id);

CREATE TABLE tickets (
  id             TEXT PRIMARY KEY,
  number         BIGINT NOT NULL,
  board_id       TEXT NOT NULL REFERENCES boards (id),
  arrival_id     TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  title          TEXT NOT NULL,
  description    TEXT NOT NULL,
  creator_email  TEXT,
  creator_name   TEXT,
  priority       TEXT NOT NULL,           -- low | normal | high | urgent
  state          TEXT NOT NULL,           -- see TicketState
  version        BIGINT NOT NULL,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX tickets_number ON tickets (number);
CREATE INDEX tickets_board ON tickets (board_id, number);
CREATE INDEX tickets_state ON tickets (state, number);

-- One effect on the outside world.
--   waiting → dispatched → claimed → done | waiting (later) | standby | unknown → waiting as kind resolve → done | waiting as create | standby
CREATE TABLE deliveries (
  id             TEXT PRIMARY KEY,
  ticket_id      TEXT NOT NULL REFERENCES tickets (id),
  board_id       TEXT NOT NULL,
  cause          TEXT NOT NULL,           -- the event that caused it: "ticket.opened", …
  destination_id TEXT NOT NULL,           -- = connection id
  worker         TEXT NOT NULL,           -- jira | trello
  kind           TEXT NOT NULL,           -- create
  recipient      TEXT NOT NULL,
  state          TEXT NOT NULL,           -- waiting | dispatched | claimed | standby | done | cancelled
  step           TEXT NOT NULL,           -- send | resolve: what the next or running dispatch does
  due_at         BIGINT NOT NULL,         -- waiting: not before; dispatched, claimed: silence until then is acted on; else 0
  seq            BIGINT NOT NULL,         -- order within the destination
  dispatch_no    BIGINT NOT NULL,
  token          TEXT NOT NULL,           -- of the claim of dispatch_no; '' = none
  attempts       BIGINT NOT NULL,         -- spent
  snoozes        BIGINT NOT NULL,
  maybe_sent     BIGINT NOT NULL,         -- 1: an attempt may have had its effect; only resolve may run
  sent_at        BIGINT NOT NULL,         -- of the attempt that may have had its effect: claim or commit time
  absent_count   BIGINT NOT NULL,         -- consistent reads that found nothing; of a mail: attempts that may have been sent
  probe_base     BIGINT,                  -- Jira: newest key number known before that attempt
  attempt_target TEXT,                    -- JSON, the target of that attempt
  reason_class   TEXT NOT NULL,
  reason         TEXT NOT NULL,
  standby_id     TEXT,
  created_at     BIGINT NOT NULL,
  finished_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX deliveries_once ON deliveries (ticket_id, cause, destination_id, kind, recipient);
CREATE INDEX deliveries_waiting ON deliveries (destination_id, state, due_at, seq);
CREATE INDEX deliveries_due ON deliveries (state, due_at);

-- Object on the far side. UNIQUE: no two deliveries may own one.
CREATE TABLE external_tickets (
  id            TEXT PRIMARY KEY,         -- UUIDv5(delivery id)
  ticket_id     TEXT NOT NULL REFERENCES tickets (id),
  board_id      TEXT NOT NULL,
  delivery_id   TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  system        TEXT NOT NULL,            -- jira | trello
  remote_id     TEXT NOT NULL,
  remote_key    TEXT NOT NULL,
  url           TEXT NOT NULL,
  state         TEXT NOT NULL,            -- linked | duplicate (an alarm: should not exist)
  created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX external_remote ON external_tickets (connection_id, remote_id);
CREATE INDEX external_board ON external_tickets (board_id, created_at, id);
CREATE INDEX external_ticket ON external_tickets (ticket_id);

-- Highest number seen in a sequence of the far side: scope = Jira project key.
CREATE TABLE remote_marks (
  connection_id TEXT NOT NULL,
  scope         TEXT NOT NULL,
  value         BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL,          -- an old mark is a poor place to begin a search: others create issues too
  PRIMARY KEY (connection_id, scope)
);

CREATE TABLE standby (
  id             TEXT PRIMARY KEY,
  kind           TEXT NOT NULL,           -- arrival | delivery | poison
  subject_id     TEXT NOT NULL,           -- arrival id, delivery id, or the message's id
  correlation_id TEXT NOT NULL,
  ticket_id      TEXT,
  board_id       TEXT,                    -- where it was meant to go, or where an operator assigned it
  connection_id  TEXT,
  worker         TEXT NOT NULL,           -- who gave up
  message_type   TEXT NOT NULL,
  reason_class   TEXT NOT NULL,
  reason         TEXT NOT NULL,
  group_key      TEXT NOT NULL,           -- worker, class, normalised text, type
  original       TEXT NOT NULL,           -- body, byte for byte (base64 when it is not UTF-8, see original_is_base64)
  original_is_base64 BIGINT NOT NULL,
  properties     TEXT NOT NULL,           -- JSON: exchange, routing key, envelope, headers
  retry_no       BIGINT NOT NULL,         -- replays so far
  attempts       BIGINT NOT NULL,
  first_at       BIGINT NOT NULL,
  last_at        BIGINT NOT NULL,
  assignee       TEXT,
  note           TEXT,
  state          TEXT NOT NULL,           -- open | assigned | retry_pending | resolved | deleted
  due_at         BIGINT NOT NULL,         -- of retry_pending: back to open then; else 0
  link_id        TEXT,                    -- edit: the copy, or the original
  version        BIGINT NOT NULL
);
CREATE INDEX standby_state ON standby (state, first_at, id);
CREATE INDEX standby_subject ON standby (subject_id);
CREATE INDEX standby_group ON standby (group_key, state);
CREATE INDEX standby_due ON standby (due_at) WHERE due_at > 0;

-- One timeline per ticket.
CREATE TABLE history (
  id             TEXT PRIMARY KEY,
  correlation_id TEXT NOT NULL,
  ticket_id      TEXT,
  delivery_id    TEXT,
  standby_id     TEXT,
  at             BIGINT NOT NULL,
  seq            BIGINT NOT NULL,         -- order within one microsecond
  actor          TEXT NOT NULL,           -- principal, or the process instance
  action         TEXT NOT NULL,           -- accepted, opened, dispatched, claimed, delivered, deferred, shelved, …
  detail         TEXT NOT NULL            -- JSON object
);
CREATE INDEX history_ticket ON history (ticket_id, at, seq);
CREATE INDEX history_correlation ON history (correlation_id, at, seq);
CREATE INDEX history_standby ON history (standby_id, at, seq);

CREATE TABLE events (
  seq       BIGINT PRIMARY KEY,
  type      TEXT NOT NULL,
  at        BIGINT NOT NULL,
  board_id  TEXT,
  body      TEXT NOT NULL
);

-- What was already decided. The status resource of a command is its row here.
CREATE TABLE inbox (
  message_id  TEXT NOT NULL,
  retry       BIGINT NOT NULL,
  type        TEXT NOT NULL,
  fingerprint TEXT NOT NULL,              -- SHA-256 of the body
  status      BIGINT NOT NULL,            -- HTTP status of the result; 202 = running (a test, a bulk job)
  result      TEXT NOT NULL,              -- JSON body of the answer
  at          BIGINT NOT NULL,
  PRIMARY KEY (message_id, retry)
);

-- Must-arrive messages that the broker has not confirmed yet.
CREATE TABLE outgoing (
  seq        BIGINT PRIMARY KEY,
  exchange   TEXT NOT NULL,
  routing_key TEXT NOT NULL,
  envelope   TEXT NOT NULL,               -- JSON
  body       TEXT NOT NULL,
  not_before BIGINT NOT NULL,
  attempts   BIGINT NOT NULL
);
CREATE INDEX outgoing_due ON outgoing (not_before, seq);

CREATE TABLE connection_tests (
  id            TEXT PRIMARY KEY,         -- the command's id
  connection_id TEXT NOT NULL,
  reply_to      TEXT NOT NULL,
  started_at    BIGINT NOT NULL,
  due_at        BIGINT NOT NULL,
  state         TEXT NOT NULL             -- running | ended
);
CREATE INDEX connection_tests_due ON connection_tests (state, due_at);

CREATE TABLE bulk_jobs (
  id        TEXT PRIMARY KEY,             -- the command's id
  action    TEXT NOT NULL,                -- retry | delete
  filter    TEXT NOT NULL,                -- JSON
  board_id  TEXT,
  actor     TEXT NOT NULL,
  until     BIGINT NOT NULL,              -- items that lay on the shelf before this
  cursor_at BIGINT NOT NULL,
  cursor_id TEXT NOT NULL,
  total     BIGINT NOT NULL,
  done      BIGINT NOT NULL,
  refused   BIGINT NOT NULL,
  state     TEXT NOT NULL,                -- running | ended
  due_at    BIGINT NOT NULL
);
CREATE INDEX bulk_jobs_due ON bulk_jobs (state, due_at);

-- Messages under suspicion after an abnormal exit.
CREATE TABLE suspects (
  message_id TEXT NOT NULL,
  retry      BIGINT NOT NULL,
  strikes    BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (message_id, retry)
);
