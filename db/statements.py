"""Every statement that writes what a batch of commits holds, beside the names of its columns.

Each takes one JSON array (see `db.rows`) unless it is a COPY, so none can have more columns than placeholders (Lesson 54); a test
prepares every one of them.
"""

from typing import Final

FENCE: Final = "SELECT pg_current_xact_id()::text, pg_backend_pid() FROM leader WHERE epoch = %s FOR SHARE"
TAIL: Final = """
    SELECT coalesce((SELECT seq FROM journal ORDER BY seq DESC LIMIT 1), 0),
           (SELECT hash FROM journal ORDER BY seq DESC LIMIT 1),
           coalesce((SELECT seq FROM outbox ORDER BY seq DESC LIMIT 1), 0)
"""
XACT_STATUS: Final = "SELECT pg_xact_status(%s::text::xid8)"
ENSURE_MONTH: Final = "SELECT ensure_month(make_date(%s, %s, 1))"

INSERT_INBOX: Final = """
    INSERT INTO inbox (key, digest, subject, body, stream, sequence, received_at)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bytea[], %s::text[], %s::bigint[], %s::timestamptz[])
    ON CONFLICT DO NOTHING
"""
INSERT_ACCOUNTS: Final = """
    INSERT INTO accounts (account, mode)
    SELECT account, mode FROM jsonb_to_recordset(%s::jsonb) AS r (account text, mode text)
    ON CONFLICT DO NOTHING
"""
_TRADE_COLUMNS: Final = """legacy_id, version, state, venue, ticker, symbol, side, quantity, open_quantity, entry_price, entry_ts,
    exit_price, exit_ts, fees, pnl, outcome, rule, close_reason, strategy, coverage, settings_version, requested_ts, close_ts, ts, body"""
_TRADE_VALUES: Final = """r.legacy_id, r.version, r.state, r.venue, r.ticker, r.symbol, r.side, r.quantity, coalesce(r.open_quantity, 0),
    r.entry_price, r.entry_ts, r.exit_price, r.exit_ts, coalesce(r.fees, 0), coalesce(r.pnl, 0), r.outcome, r.rule, r.close_reason,
    r.strategy, r.coverage, coalesce(r.settings_version, 0), r.requested_ts, r.close_ts, r.ts, e.body"""
_TRADE_ROWS: Final = """jsonb_to_recordset(%s::jsonb) AS e (expected integer, body jsonb),
    jsonb_to_record(e.body) AS r (trade_id text, account text, mode text, legacy_id bigint, version integer, state text, venue text,
        ticker text, symbol text, side text, quantity numeric, open_quantity numeric, entry_price numeric, entry_ts timestamptz,
        exit_price numeric, exit_ts timestamptz, fees numeric, pnl numeric, outcome text, rule text, close_reason text,
        strategy text, coverage text, settings_version integer, requested_ts timestamptz, close_ts timestamptz, ts timestamptz)"""
INSERT_TRADES: Final = f"""
    INSERT INTO trades (trade_id, account, mode, {_TRADE_COLUMNS})
    SELECT r.trade_id, r.account, r.mode, {_TRADE_VALUES} FROM {_TRADE_ROWS}
    ON CONFLICT DO NOTHING
"""
UPDATE_TRADES: Final = f"""
    UPDATE trades AS t SET ({_TRADE_COLUMNS}) = ROW ({_TRADE_VALUES}) FROM {_TRADE_ROWS}
    WHERE t.trade_id = r.trade_id AND t.version = e.expected
"""
END_ORDERS: Final = """
    UPDATE orders AS o SET is_live = false, evidence = r.evidence
    FROM unnest(%s::text[], %s::text[]) AS r (client_order_id, evidence)
    WHERE o.client_order_id = r.client_order_id AND o.is_live
"""
INSERT_ORDERS: Final = """
    INSERT INTO orders (client_order_id, trade_id, account, mode, purpose, attempt, ticker, side, action, quantity, limit_price,
        order_type, time_in_force, reduce_only, expires_ts, epoch, cause, decision_id, trade_version, settings_version, ts,
        is_live, evidence)
    SELECT client_order_id, trade_id, account, mode, purpose, attempt, ticker, side, action, quantity, limit_price,
        coalesce(order_type, 'limit'), coalesce(time_in_force, 'ioc'), reduce_only, expires_ts, epoch, cause, decision_id,
        trade_version, settings_version, ts, ended.evidence IS NULL, ended.evidence
    FROM jsonb_to_recordset(%s::jsonb) AS r (client_order_id text, trade_id text, account text, mode text, purpose text,
        attempt integer, ticker text, side text, action text, quantity numeric, limit_price numeric, order_type text,
        time_in_force text, reduce_only boolean, expires_ts timestamptz, epoch bigint, cause text, decision_id text,
        trade_version integer, settings_version integer, ts timestamptz)
    LEFT JOIN unnest(%s::text[], %s::text[]) AS ended (order_id, evidence) ON ended.order_id = client_order_id
"""
INSERT_CANCELS: Final = """
    INSERT INTO cancels (client_order_id, trade_id, reason, epoch, ts)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS r (client_order_id text, trade_id text, reason text, epoch bigint, ts timestamptz)
"""
INSERT_REPORTS: Final = """
    INSERT INTO reports (client_order_id, report_key, status, reason, fill_id, fill_price, fill_quantity, fees, cumulative_quantity, ts)
    SELECT client_order_id, coalesce(fill_id, status), status, reason, fill_id, fill_price, fill_quantity, fees, cumulative_quantity, ts
    FROM jsonb_to_recordset(%s::jsonb) AS r (client_order_id text, status text, reason text, fill_id text, fill_price numeric,
        fill_quantity numeric, fees numeric, cumulative_quantity numeric, ts timestamptz)
    ON CONFLICT DO NOTHING
"""
INSERT_FILLS: Final = """
    INSERT INTO fills (account, fill_id, trade_id, client_order_id, purpose, price, quantity, fees, ts)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS r (account text, fill_id text, trade_id text, client_order_id text,
        purpose text, price numeric, quantity numeric, fees numeric, ts timestamptz)
"""
INSERT_DECISIONS: Final = """
    INSERT INTO decisions (decision_id, trade_id, rule, fired, shadow, settings_version, ts, body)
    SELECT r.decision_id, r.trade_id, r.rule, r.fired, coalesce(r.shadow, false), r.settings_version, r.ts, e.body
    FROM jsonb_array_elements(%s::jsonb) AS e (body), jsonb_to_record(e.body) AS r (decision_id text, trade_id text, rule text,
        fired boolean, shadow boolean, settings_version integer, ts timestamptz)
    ON CONFLICT DO NOTHING
"""
_COVERAGE_ROWS: Final = """
    FROM (SELECT row_number() OVER () AS n, r.* FROM jsonb_to_recordset(%s::jsonb) AS r (trade_id text, coverage text, why text,
        since timestamptz, ts timestamptz)) AS r
"""
INSERT_COVERAGE_HISTORY: Final = f"""
    INSERT INTO coverage_history (trade_id, coverage, why, since, ts)
    SELECT trade_id, coverage, why, since, ts {_COVERAGE_ROWS} ORDER BY n
"""
UPSERT_COVERAGE: Final = f"""
    INSERT INTO coverage (trade_id, coverage, why, since, ts)
    SELECT DISTINCT ON (trade_id) trade_id, coverage, why, since, ts {_COVERAGE_ROWS} ORDER BY trade_id, n DESC
    ON CONFLICT (trade_id) DO UPDATE
    SET coverage = excluded.coverage, why = excluded.why, since = excluded.since, ts = excluded.ts
"""
UPSERT_PROGRESS: Final = """
    INSERT INTO stop_progress (trade_id, rule, body)
    SELECT DISTINCT ON (1, 2) body ->> 'trade_id', body ->> 'rule', body
    FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS e (body, n) ORDER BY 1, 2, n DESC
    ON CONFLICT (trade_id, rule) DO UPDATE SET body = excluded.body
"""
INSERT_NOTICES: Final = """
    INSERT INTO notices (notice_id, kind, severity, title, body, dedupe_key, trade_id, ts)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS r (notice_id text, kind text, severity text, title text, body text,
        dedupe_key text, trade_id text, ts timestamptz)
    ON CONFLICT DO NOTHING
"""
INSERT_SETTINGS_HISTORY: Final = """
    INSERT INTO settings_history (version, layer, name, before, after, reason, requested_by, ts)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS r (version integer, layer text, name text, before jsonb, after jsonb,
        reason text, requested_by text, ts timestamptz)
"""
UPSERT_LAYER: Final = """
    INSERT INTO settings_layers AS l (layer, name, settings) VALUES (%s, %s, %s::jsonb)
    ON CONFLICT (layer, name) DO UPDATE SET settings = (l.settings - %s::text[]) || excluded.settings
"""
UPSERT_POSITIONS: Final = """
    INSERT INTO positions AS p (account, ticker, side, quantity, ts)
    SELECT DISTINCT ON (account, ticker, side) * FROM jsonb_to_recordset(%s::jsonb) AS r (account text, ticker text, side text,
        quantity numeric, ts timestamptz) ORDER BY account, ticker, side, ts DESC
    ON CONFLICT (account, ticker, side) DO UPDATE SET quantity = excluded.quantity, ts = excluded.ts
    WHERE p.ts <= excluded.ts
"""
INSERT_SETTLEMENTS: Final = """
    INSERT INTO settlements (account, ticker, ts, result, revenue, payout, fees)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS r (account text, ticker text, ts timestamptz, result text, revenue numeric,
        payout numeric, fees numeric)
    ON CONFLICT DO NOTHING
"""
UPSERT_BALANCES: Final = """
    INSERT INTO balances AS b (account, balance, ts)
    SELECT DISTINCT ON (account) * FROM jsonb_to_recordset(%s::jsonb) AS r (account text, balance numeric, ts timestamptz)
    ORDER BY account, ts DESC
    ON CONFLICT (account) DO UPDATE SET balance = excluded.balance, ts = excluded.ts WHERE b.ts <= excluded.ts
"""
UPSERT_ACCOUNT_PROGRESS: Final = """
    INSERT INTO account_progress AS p (account, reset_at, body)
    SELECT DISTINCT ON (1) body ->> 'account', coalesce((body ->> 'reset_ns')::timestamptz, 'epoch'), body
    FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS e (body, n) ORDER BY 1, n DESC
    ON CONFLICT (account) DO UPDATE SET reset_at = excluded.reset_at, body = excluded.body WHERE p.reset_at <= excluded.reset_at
"""
RESET_ACCOUNTS: Final = """
    UPDATE account_progress SET body = (body - %s::text[]) || jsonb_build_object('reset_ns', %s::text), reset_at = %s
    WHERE %s = '' OR account = %s
"""
_TEXT_OF: Final = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
KEEP_CAPSULES: Final = f"""
    INSERT INTO capsules (trade_id, ts, body)
    SELECT t.trade_id, t.ts, jsonb_build_object(
        'trade_id', t.trade_id, 'ts', t.body -> 'ts', 'trade', t.body,
        'rules', coalesce((SELECT jsonb_agg(p.body ORDER BY p.rule) FROM stop_progress AS p WHERE p.trade_id = t.trade_id), '[]'),
        'decisions', coalesce((SELECT jsonb_agg(d.body ORDER BY d.ts) FROM decisions AS d WHERE d.trade_id = t.trade_id), '[]'),
        'unprotected', coalesce((
            SELECT jsonb_agg(jsonb_build_object('why', s.why, 'since', {_TEXT_OF.format("s.ts")}, 'until', {_TEXT_OF.format("s.until")})
                ORDER BY s.id)
            FROM (SELECT c.*, lead(c.ts, 1, t.ts) OVER (ORDER BY c.id) AS until FROM coverage_history AS c
                WHERE c.trade_id = t.trade_id) AS s
            WHERE s.coverage = 'unprotected'), '[]'))
    FROM trades AS t WHERE t.trade_id = ANY (%s) AND t.state IN ('closed', 'settled')
    ON CONFLICT (trade_id) DO UPDATE SET body = excluded.body
"""
"""A trade that was rejected was never open: nothing guarded it."""
LIMIT_RISK: Final = """
    INSERT INTO system_state AS s (account, halted, reduce_only, reason, requested_by, ts) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (account) DO UPDATE SET halted = s.halted OR excluded.halted, reduce_only = s.reduce_only OR excluded.reduce_only,
        reason = excluded.reason, requested_by = excluded.requested_by, ts = excluded.ts
"""
RESUME: Final = """
    UPDATE system_state SET halted = false, reduce_only = false, reason = %s, requested_by = %s, ts = %s
    WHERE %s = '' OR account = %s
"""
COPY_QUARANTINE: Final = (
    "COPY quarantine (subject, body, reason, key, stream, sequence, received_at) FROM STDIN (FORMAT BINARY)"
)
COPY_JOURNAL: Final = """
    COPY journal (seq, trade_id, version, from_state, to_state, cause, detail, ts, previous_hash, hash) FROM STDIN (FORMAT BINARY)
"""
COPY_OUTBOX: Final = """
    COPY outbox (seq, msg_id, subject, kind, body, direct, cause, created_at) FROM STDIN (FORMAT BINARY)
"""
QUARANTINE_TYPES: Final = ("text", "bytea", "text", "text", "text", "int8", "timestamptz")
JOURNAL_TYPES: Final = ("int8", "text", "int4", "text", "text", "text", "text", "timestamptz", "bytea", "bytea")
OUTBOX_TYPES: Final = ("int8", "text", "text", "text", "bytea", "bool", "text", "timestamptz")
