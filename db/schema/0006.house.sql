-- Who leads, which streams were made, and whether the system may take risk.
-- depends: 0005.settings

CREATE TABLE leader (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    epoch bigint NOT NULL CHECK (epoch >= 0),
    instance text NOT NULL,
    taken_at instant NOT NULL
);
COMMENT ON TABLE leader IS 'The one row that every write transaction holds: another epoch in it, and the writer is fenced off.';
INSERT INTO leader (epoch, instance, taken_at) VALUES (0, '', '1970-01-01 00:00:00+00');

CREATE TABLE streams (
    name text PRIMARY KEY,
    created text NOT NULL
);
COMMENT ON TABLE streams IS 'The JetStream streams that were made, and when by the server''s own word: one that is missing or newer is an alarm.';

CREATE TABLE system_state (
    account text PRIMARY KEY,
    halted boolean NOT NULL,
    reduce_only boolean NOT NULL,
    reason text NOT NULL,
    requested_by text NOT NULL,
    ts instant NOT NULL
);
COMMENT ON TABLE system_state IS 'Whether an account (empty: the whole system) is halted or may only reduce risk; survives restarts.';
