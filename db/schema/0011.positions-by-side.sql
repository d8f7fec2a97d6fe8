-- A venue says what it holds of each side by itself: the word about one side says nothing about the other.
-- depends: 0010.streams-made-anew

ALTER TABLE positions DROP CONSTRAINT positions_pkey, ADD PRIMARY KEY (account, ticker, side);
COMMENT ON TABLE positions IS 'What the venue last said we hold, of each side.';
