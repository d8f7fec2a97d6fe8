-- What came in, what was decided, what went out.
-- depends: 0002.trades

CREATE TABLE inbox (
    key text PRIMARY KEY,
    digest text NOT NULL,
    subject text NOT NULL,
    body bytea NOT NULL,
    stream text,
    sequence bigint,
    received_at instant NOT NULL
);
COMMENT ON TABLE inbox IS 'Every input that had its one effect, by its dedupe key. Not partitioned: the key must hold across midnight.';
COMMENT ON COLUMN inbox.digest IS 'Hash of the body without ts, hex: the same key with another one is quarantined.';
CREATE INDEX inbox_received ON inbox (received_at);
CREATE INDEX inbox_place ON inbox (stream, sequence);

CREATE TABLE journal (
    seq bigint NOT NULL,
    trade_id text NOT NULL,
    version integer NOT NULL,
    from_state text,
    to_state text NOT NULL,
    cause text NOT NULL,
    detail text NOT NULL,
    ts timestamptz NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (seq, ts)
) PARTITION BY RANGE (ts);
COMMENT ON TABLE journal IS 'Every edge of every trade''s life with its cause; append-only, without gaps, each row hashed over the one before.';
COMMENT ON COLUMN journal.hash IS 'SHA-256 of previous_hash and the JSON array [seq, trade_id, version, from_state, to_state, cause, ts in microseconds, detail].';
CREATE INDEX journal_trade ON journal (trade_id);

CREATE TABLE outbox (
    seq bigint NOT NULL,
    msg_id text NOT NULL,
    subject text NOT NULL,
    kind text NOT NULL,
    body bytea NOT NULL,
    direct boolean NOT NULL,
    cause text NOT NULL,
    created_at timestamptz NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (seq, created_at),
    UNIQUE (msg_id, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE outbox IS 'Every message that a decision sent, in order; published_at once NATS has stored it.';
COMMENT ON COLUMN outbox.msg_id IS 'Its Nats-Msg-Id, a function of its cause: sent again, it is a duplicate.';
COMMENT ON COLUMN outbox.kind IS 'The name of the word in bus.messages.';
COMMENT ON COLUMN outbox.direct IS 'It left as soon as it was decided; the relay only makes sure.';
CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL;

CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    body bytea NOT NULL,
    reason text NOT NULL,
    key text,
    stream text,
    sequence bigint,
    received_at timestamptz NOT NULL
);
COMMENT ON TABLE quarantine IS 'Inputs that had no effect, with their raw bytes and why.';
