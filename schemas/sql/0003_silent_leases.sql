-- Mails that kill the worker that fetches them: leases that end in silence are counted, and a careful one says first what it asks for.

ALTER TABLE inboxes ADD COLUMN silences BIGINT NOT NULL DEFAULT 0;            -- leases that ended in silence since it last caught up
ALTER TABLE inboxes ADD COLUMN asking_uid_validity BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inboxes ADD COLUMN asking_uid BIGINT NOT NULL DEFAULT 0;          -- of the careful holder: the suspect if it falls silent; 0 = none
