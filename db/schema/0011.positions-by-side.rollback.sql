DELETE FROM positions AS p USING positions AS other
WHERE (other.account, other.ticker) = (p.account, p.ticker) AND (other.ts, other.side) > (p.ts, p.side);
ALTER TABLE positions DROP CONSTRAINT positions_pkey, ADD PRIMARY KEY (account, ticker);
COMMENT ON TABLE positions IS 'What the venue last said we hold.';
