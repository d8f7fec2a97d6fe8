-- How far each stream has had its effect, so that a start reads only what came after.
-- depends: 0008.accounts

ALTER TABLE streams ADD COLUMN journaled bigint NOT NULL DEFAULT 0 CHECK (journaled >= 0);
COMMENT ON COLUMN streams.journaled IS 'Every input up to this sequence has had its effect or is in quarantine, and every order up to it its row. Trails behind.';
-- What was known before: one input may have waited while later ones were committed.
UPDATE streams SET journaled = greatest(0, (SELECT max(sequence) FROM inbox WHERE stream = streams.name) - 10000);
CREATE INDEX quarantine_place ON quarantine (stream, sequence);
