-- Since when a stream is the one on record: what was heard from its predecessor of the same name says nothing about its sequences.
-- depends: 0009.places

ALTER TABLE streams ADD COLUMN recorded_at instant NOT NULL DEFAULT '1970-01-01 00:00:00+00';
ALTER TABLE streams ALTER COLUMN recorded_at DROP DEFAULT;
COMMENT ON COLUMN streams.recorded_at IS 'When it was put on record, by the clock that stamps inputs; inputs received before were of another stream.';
