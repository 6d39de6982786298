-- The doors: inboxes and their leases, mails, comments, attachments, threads, notices, settings.

-- One folder of a mailbox (a connection of kind imap) that is polled.
CREATE TABLE inboxes (
  id                 TEXT PRIMARY KEY,
  name               TEXT NOT NULL,
  connection_id      TEXT NOT NULL REFERENCES connections (id),
  address            TEXT NOT NULL,       -- canonical mail address
  folder             TEXT NOT NULL,       -- UTF-8
  board_id           TEXT,                -- exclusive
  smtp_connection_id TEXT,                -- answers go out through it; none: the installation's
  interval_ms        BIGINT NOT NULL,
  is_push            BIGINT NOT NULL,
  after_import       TEXT NOT NULL,       -- keep | seen | move | delete
  after_folder       TEXT,
  duplicate_ms       BIGINT NOT NULL,     -- 0 = off
  since              BIGINT NOT NULL,     -- mail received before is left alone; 0 = none is
  is_paused          BIGINT NOT NULL,
  -- The cursor: everything up to last_uid has its arrival.
  uid_validity       BIGINT NOT NULL,     -- 0 = no contact yet
  last_uid           BIGINT NOT NULL,
  -- The lease.
  lease              TEXT NOT NULL,       -- idle | dispatched | held
  dispatch_no        BIGINT NOT NULL,
  token              TEXT NOT NULL,       -- of the holder; '' = none
  worker             TEXT NOT NULL,       -- instance that holds or held it
  due_at             BIGINT NOT NULL,     -- idle: the next poll; dispatched, held: silence until then is acted on
  lease_until        BIGINT NOT NULL,
  is_stopping        BIGINT NOT NULL,     -- the holder is told to log out: the inbox was changed
  -- How it goes.
  state              TEXT NOT NULL,       -- unknown | ok | failing
  reason_class       TEXT NOT NULL,
  reason             TEXT NOT NULL,
  state_at           BIGINT NOT NULL,
  failures           BIGINT NOT NULL,     -- consecutive
  can_push           BIGINT NOT NULL,     -- the server has IDLE
  stage              TEXT NOT NULL,       -- the holder's last word
  word_id            TEXT NOT NULL,       -- its message: a word that comes again counts once
  -- What the server told last, for the report.
  server_exists      BIGINT NOT NULL,
  server_older       BIGINT NOT NULL,     -- left alone because of `since`, under this UIDVALIDITY
  server_at          BIGINT NOT NULL,
  caught_up_at       BIGINT NOT NULL,
  version            BIGINT NOT NULL,
  created_at         BIGINT NOT NULL,
  updated_at         BIGINT NOT NULL
);
CREATE UNIQUE INDEX inboxes_name ON inboxes (name);
CREATE UNIQUE INDEX inboxes_folder ON inboxes (connection_id, folder);
CREATE INDEX inboxes_due ON inboxes (due_at);

-- To be done to one mail on the server, after its arrival was decided.
CREATE TABLE inbox_chores (
  id           TEXT PRIMARY KEY,
  inbox_id     TEXT NOT NULL,
  uid_validity BIGINT NOT NULL,
  uid          BIGINT NOT NULL,
  verb         TEXT NOT NULL,             -- flag | move | delete
  argument     TEXT NOT NULL,
  state        TEXT NOT NULL,             -- waiting | done | failed
  attempts     BIGINT NOT NULL,
  reason       TEXT NOT NULL,
  created_at   BIGINT NOT NULL
);
CREATE INDEX inbox_chores_waiting ON inbox_chores (inbox_id, state, attempts, uid);

-- Mails that a conversation broke at; with three strikes it is passed over and lies on standby.
CREATE TABLE inbox_suspects (
  inbox_id     TEXT NOT NULL,
  uid_validity BIGINT NOT NULL,
  uid          BIGINT NOT NULL,
  strikes      BIGINT NOT NULL,
  PRIMARY KEY (inbox_id, uid_validity, uid)
);

-- What an arrival of kind mail is. arrivals.natural_key = "<inbox>/<UIDVALIDITY>/<UID>".
--   waiting → parsing → decided; back to waiting by a retry from standby
CREATE TABLE mails (
  arrival_id     TEXT PRIMARY KEY,
  inbox_id       TEXT NOT NULL,
  uid_validity   BIGINT NOT NULL,
  uid            BIGINT NOT NULL,
  blob_sha256    TEXT NOT NULL,           -- '' = nothing could be fetched
  blob_size      BIGINT NOT NULL,
  extent         TEXT NOT NULL,           -- whole | header_only | none
  trouble        TEXT NOT NULL,
  received_at    BIGINT NOT NULL,         -- INTERNALDATE, else the time of the arrival
  stage          TEXT NOT NULL,           -- waiting | parsing | decided
  parse_no       BIGINT NOT NULL,
  due_at         BIGINT NOT NULL,         -- parsing: silence until then is acted on; waiting: not before
  assigned_board TEXT NOT NULL,           -- by an operator, obeyed by routing; '' = none
  -- What the router found.
  message_id     TEXT NOT NULL,
  sender_address TEXT NOT NULL,
  sender_name    TEXT NOT NULL,
  subject        TEXT NOT NULL,
  date_at        BIGINT NOT NULL,         -- 0 = none
  sender_subject_key TEXT NOT NULL,       -- set only once the mail became a ticket or a reply
  content_key    TEXT NOT NULL,           -- likewise
  is_auto        BIGINT NOT NULL,
  auto_reason    TEXT NOT NULL,
  -- What became of it.
  verdict        TEXT NOT NULL,           -- '' | ticket | reply | duplicate | bounce | own | standby | unparsable
  why            TEXT NOT NULL,
  ticket_id      TEXT,
  comment_id     TEXT,
  duplicate_of   TEXT,                    -- arrival
  decided_at     BIGINT NOT NULL
);
CREATE INDEX mails_stage ON mails (stage, due_at) WHERE stage <> 'decided';
CREATE INDEX mails_inbox ON mails (inbox_id, uid_validity, uid);
CREATE INDEX mails_verdict ON mails (inbox_id, verdict, uid_validity, uid);
CREATE INDEX mails_received ON mails (verdict, received_at, arrival_id);
CREATE INDEX mails_message ON mails (message_id, content_key, inbox_id);
CREATE INDEX mails_blob ON mails (blob_sha256, inbox_id);
CREATE INDEX mails_sender_subject ON mails (inbox_id, sender_subject_key, received_at);

CREATE TABLE comments (
  id            TEXT PRIMARY KEY,
  ticket_id     TEXT NOT NULL REFERENCES tickets (id),
  arrival_id    TEXT,                     -- of a reply by mail
  actor         TEXT NOT NULL,            -- principal; "mail": from who takes part in the ticket; "stranger": from who does not
  author_email  TEXT,
  author_name   TEXT,
  is_public     BIGINT NOT NULL,
  text          TEXT NOT NULL,            -- of a mail: what is new in it
  full_text     TEXT NOT NULL,            -- with what it quotes; '' = the same
  created_at    BIGINT NOT NULL
);
CREATE INDEX comments_ticket ON comments (ticket_id, created_at, id);

CREATE TABLE attachments (
  id           TEXT PRIMARY KEY,
  ticket_id    TEXT NOT NULL REFERENCES tickets (id),
  comment_id   TEXT,
  arrival_id   TEXT,
  name         TEXT NOT NULL,
  content_type TEXT NOT NULL,
  content_id   TEXT NOT NULL,
  is_inline    BIGINT NOT NULL,
  size         BIGINT NOT NULL,
  sha256       TEXT NOT NULL,
  created_at   BIGINT NOT NULL
);
CREATE INDEX attachments_ticket ON attachments (ticket_id, created_at, id);

-- Message-IDs of mails that belong to a ticket, in and out. Not unique: senders use them again.
CREATE TABLE mail_threads (
  message_id TEXT NOT NULL,
  ticket_id  TEXT NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (message_id, ticket_id)
);
CREATE INDEX mail_threads_ticket ON mail_threads (ticket_id, at);
CREATE INDEX mail_threads_message ON mail_threads (message_id, at);

-- Who takes part in a ticket: its creator, who replied, and whom we wrote to. Canonical addresses.
CREATE TABLE participants (
  ticket_id TEXT NOT NULL,
  address   TEXT NOT NULL,
  at        BIGINT NOT NULL,
  PRIMARY KEY (ticket_id, address)
);

-- One row, id = 1.
CREATE TABLE settings (
  id                 BIGINT PRIMARY KEY,
  default_board_id   TEXT,
  smtp_connection_id TEXT,
  sender_address     TEXT,
  sender_name        TEXT,
  is_confirming      BIGINT NOT NULL,
  is_telling_states  BIGINT NOT NULL,
  version            BIGINT NOT NULL,
  updated_at         BIGINT NOT NULL
);
INSERT INTO settings VALUES (1, NULL, NULL, NULL, NULL, 1, 1, 1, 0);

-- Deliveries of kind mail: worker notifier, destination = an SMTP connection, recipient = a bare address, cause = what they tell
-- ("ticket.opened", "state:<ticket version>", "comment:<id>"). done with reason class assumed_sent: silence after the commit word.
ALTER TABLE deliveries ADD COLUMN notice TEXT NOT NULL DEFAULT '';  -- JSON, messages::MailNotice
CREATE INDEX deliveries_recipient ON deliveries (recipient, created_at) WHERE recipient <> '';
CREATE INDEX deliveries_recipient_sent ON deliveries (recipient, state, sent_at) WHERE recipient <> '';
CREATE INDEX deliveries_order ON deliveries (ticket_id, destination_id, recipient, state, seq) WHERE recipient <> '';
