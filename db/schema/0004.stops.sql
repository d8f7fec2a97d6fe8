-- What stops decided, how trades are protected, what people were told.
-- depends: 0003.ledger

CREATE TABLE decisions (
    decision_id text NOT NULL,
    trade_id text NOT NULL,
    rule text NOT NULL,
    fired boolean NOT NULL,
    shadow boolean NOT NULL,
    settings_version integer NOT NULL,
    ts timestamptz NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (decision_id, ts)
) PARTITION BY RANGE (ts);
COMMENT ON TABLE decisions IS 'Every time that a rule''s condition held: whether it fired, its inputs and its guards (body), append-only.';
CREATE INDEX decisions_trade ON decisions (trade_id);

CREATE TABLE coverage (
    trade_id text PRIMARY KEY,
    coverage text NOT NULL CHECK (coverage IN ('armed', 'closing', 'waived', 'unprotected')),
    why text NOT NULL,
    since instant NOT NULL,
    ts instant NOT NULL
);
COMMENT ON TABLE coverage IS 'Whether each trade is protected now, and since when.';

CREATE TABLE coverage_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trade_id text NOT NULL,
    coverage text NOT NULL CHECK (coverage IN ('armed', 'closing', 'waived', 'unprotected')),
    why text NOT NULL,
    since instant NOT NULL,
    ts instant NOT NULL
);
COMMENT ON TABLE coverage_history IS 'Every change of coverage, append-only.';
CREATE INDEX coverage_history_trade ON coverage_history (trade_id);

CREATE TABLE stop_progress (
    trade_id text NOT NULL,
    rule text NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (trade_id, rule)
);
COMMENT ON TABLE stop_progress IS 'What a rule has counted and must survive a restart: the best of a trailing stop, confirmations.';

CREATE TABLE notices (
    notice_id text NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    title text NOT NULL,
    body text NOT NULL,
    dedupe_key text NOT NULL,
    trade_id text,
    ts timestamptz NOT NULL,
    PRIMARY KEY (notice_id, ts)
) PARTITION BY RANGE (ts);
COMMENT ON TABLE notices IS 'What people were told, append-only.';
CREATE INDEX notices_trade ON notices (trade_id);
