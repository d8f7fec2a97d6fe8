-- Trades, their orders, and what the venue said of them.
-- depends: 0001.values-and-guards

CREATE TABLE accounts (
    account text PRIMARY KEY CHECK (account <> ''),
    mode text NOT NULL CHECK (mode IN ('paper', 'live')),
    UNIQUE (account, mode)
);
COMMENT ON TABLE accounts IS 'Whether an account is paper or live; it is never both (SPEC 1.3).';

CREATE TABLE trades (
    trade_id text PRIMARY KEY CHECK (trade_id ~ '^[A-Za-z0-9_-]{1,40}$'),
    legacy_id bigint UNIQUE,
    version integer NOT NULL CHECK (version > 0),
    state text NOT NULL CHECK (state IN ('requested', 'pending', 'open', 'partial_open', 'rejected', 'closing',
        'partial_closing', 'closed', 'expired', 'settled', 'unknown')),
    account text NOT NULL,
    mode text NOT NULL,
    venue text NOT NULL,
    ticker text NOT NULL,
    symbol text,
    side text NOT NULL CHECK (side IN ('yes', 'no', 'long', 'short')),
    quantity quantity NOT NULL CHECK (quantity > 0),
    open_quantity quantity NOT NULL,
    entry_price price,
    entry_ts instant,
    exit_price price,
    exit_ts instant,
    fees dollars NOT NULL,
    pnl dollars NOT NULL,
    outcome text,
    rule text,
    close_reason text,
    strategy text,
    coverage text CHECK (coverage IN ('armed', 'closing', 'waived', 'unprotected')),
    settings_version integer NOT NULL CHECK (settings_version >= 0),
    requested_ts instant,
    close_ts instant,
    ts instant NOT NULL,
    body jsonb NOT NULL,
    FOREIGN KEY (account, mode) REFERENCES accounts (account, mode)
);
COMMENT ON TABLE trades IS 'Each trade as it stands: the columns for questions, body for recovery. Written by compare-and-set on version.';
COMMENT ON COLUMN trades.legacy_id IS 'The number by which the old services know the trade.';
COMMENT ON COLUMN trades.version IS '1 when new, higher with each change.';
COMMENT ON COLUMN trades.open_quantity IS 'Entry fills less close fills.';
COMMENT ON COLUMN trades.entry_price IS 'Volume weighted, of the trade''s own fills; dollars for one contract of its side.';
COMMENT ON COLUMN trades.pnl IS 'Realised and settled dollars, booked fees taken off.';
COMMENT ON COLUMN trades.settings_version IS 'The settings in force when the trade last changed.';
COMMENT ON COLUMN trades.ts IS 'When it last changed.';
COMMENT ON COLUMN trades.body IS 'The whole trade, exactly as trade.event says it.';
CREATE INDEX trades_live ON trades (trade_id) WHERE state NOT IN ('rejected', 'closed', 'settled');
CREATE INDEX trades_ended ON trades (ts) WHERE state IN ('rejected', 'closed', 'settled');
CREATE INDEX trades_account ON trades (account, trade_id);
CREATE INDEX trades_symbol ON trades (symbol, trade_id);
CREATE INDEX trades_ticker ON trades (ticker);

CREATE FUNCTION guard_trade() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.state IN ('rejected', 'closed', 'settled') THEN
        RAISE EXCEPTION 'trade % is %: it never changes again', OLD.trade_id, OLD.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.version <= OLD.version OR NEW.trade_id <> OLD.trade_id OR NEW.account <> OLD.account OR NEW.mode <> OLD.mode THEN
        RAISE EXCEPTION 'trade % must keep its account and mode and gain a version', OLD.trade_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION guard_trade() IS 'Ended trades are immutable; versions only rise.';
CREATE TRIGGER guard_trade BEFORE UPDATE ON trades FOR EACH ROW EXECUTE FUNCTION guard_trade();
CREATE TRIGGER refuse_delete BEFORE DELETE ON trades FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON trades FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE orders (
    client_order_id text PRIMARY KEY,
    trade_id text NOT NULL REFERENCES trades (trade_id),
    account text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('paper', 'live')),
    purpose text NOT NULL CHECK (purpose IN ('entry', 'close')),
    attempt integer NOT NULL CHECK (attempt > 0),
    ticker text NOT NULL,
    side text NOT NULL CHECK (side IN ('yes', 'no', 'long', 'short')),
    action text NOT NULL CHECK (action IN ('buy', 'sell')),
    quantity quantity NOT NULL CHECK (quantity > 0),
    limit_price price,
    order_type text NOT NULL CHECK (order_type IN ('limit', 'market')),
    time_in_force text NOT NULL CHECK (time_in_force IN ('ioc', 'gtc')),
    reduce_only boolean NOT NULL,
    expires_ts instant NOT NULL,
    epoch bigint NOT NULL,
    cause text NOT NULL,
    decision_id text,
    trade_version integer NOT NULL,
    settings_version integer NOT NULL,
    ts instant NOT NULL,
    is_live boolean NOT NULL,
    evidence text,
    UNIQUE (trade_id, purpose, attempt)
);
COMMENT ON TABLE orders IS 'Every order that was issued, by its deterministic id.';
COMMENT ON COLUMN orders.expires_ts IS 'The last moment of sending.';
COMMENT ON COLUMN orders.epoch IS 'Who led when it was issued.';
COMMENT ON COLUMN orders.is_live IS 'No evidence has ended it yet (the attempt on its trade is not dead).';
COMMENT ON COLUMN orders.evidence IS 'What ended it: a report''s status, or empty_lookup.';
CREATE UNIQUE INDEX orders_one_live_close ON orders (trade_id) WHERE purpose = 'close' AND is_live;
COMMENT ON INDEX orders_one_live_close IS 'One live close order for each trade.';

CREATE TABLE cancels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_order_id text NOT NULL,
    trade_id text NOT NULL,
    reason text NOT NULL,
    epoch bigint NOT NULL,
    ts instant NOT NULL
);
COMMENT ON TABLE cancels IS 'Every cancel that was issued.';
CREATE INDEX cancels_order ON cancels (client_order_id);

CREATE TABLE fills (
    account text NOT NULL,
    fill_id text NOT NULL,
    trade_id text NOT NULL REFERENCES trades (trade_id),
    client_order_id text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('entry', 'close')),
    price traded_price NOT NULL,
    quantity quantity NOT NULL CHECK (quantity > 0),
    fees dollars NOT NULL,
    ts instant NOT NULL,
    PRIMARY KEY (account, fill_id)
);
COMMENT ON TABLE fills IS 'Fills of our orders, append-only; price of the trade''s own side, fees of this fill.';
CREATE INDEX fills_trade ON fills (trade_id);
CREATE INDEX fills_ts ON fills (ts);

CREATE TABLE reports (
    client_order_id text NOT NULL,
    report_key text NOT NULL,
    status text NOT NULL,
    reason text,
    fill_id text,
    fill_price price,
    fill_quantity quantity,
    fees dollars,
    cumulative_quantity quantity,
    ts instant NOT NULL,
    PRIMARY KEY (client_order_id, report_key)
);
COMMENT ON TABLE reports IS 'What venues said of our orders, append-only.';
COMMENT ON COLUMN reports.report_key IS 'The fill''s id where it is one, else the status.';

CREATE TABLE positions (
    account text NOT NULL,
    ticker text NOT NULL,
    side text NOT NULL,
    quantity quantity NOT NULL,
    ts instant NOT NULL,
    PRIMARY KEY (account, ticker)
);
COMMENT ON TABLE positions IS 'What the venue last said we hold.';

CREATE TABLE settlements (
    account text NOT NULL,
    ticker text NOT NULL,
    ts instant NOT NULL,
    result text NOT NULL,
    revenue dollars NOT NULL,
    payout price,
    fees dollars,
    PRIMARY KEY (account, ticker, ts)
);
COMMENT ON TABLE settlements IS 'How the venue settled a ticker, append-only; revenue of the whole account.';
