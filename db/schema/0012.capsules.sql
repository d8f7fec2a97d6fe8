-- What is told of a trade for ever, when its recording and its decisions' partitions are gone.
-- depends: 0011.positions-by-side

CREATE TABLE capsules (
    trade_id text PRIMARY KEY REFERENCES trades (trade_id),
    ts instant NOT NULL,
    body jsonb NOT NULL
);
COMMENT ON TABLE capsules IS 'Of each trade that has ended: how near each rule came with its inputs, decisions, unprotected spans, settings. Never removed.';
COMMENT ON COLUMN capsules.ts IS 'When the trade ended.';
COMMENT ON COLUMN capsules.body IS 'Whole; written again only where something of the trade reaches the record behind its end.';
CREATE TRIGGER refuse_delete BEFORE DELETE ON capsules FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON capsules FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
