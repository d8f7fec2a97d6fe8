-- The cash of accounts, and what their drawdown rule must not forget.
-- depends: 0007.months-and-guards

CREATE TABLE balances (
    account text PRIMARY KEY,
    balance dollars NOT NULL,
    ts instant NOT NULL
);
COMMENT ON TABLE balances IS 'What the cash of each account was last stated to be.';

CREATE TABLE account_progress (
    account text PRIMARY KEY,
    reset_at instant NOT NULL,
    body jsonb NOT NULL
);
COMMENT ON TABLE account_progress IS 'What the drawdown rule knows of an account and must survive a restart: its high, its confirmations, whether it has fired.';
COMMENT ON COLUMN account_progress.reset_at IS 'The last rebase or resume that body knows of: an older body never overwrites what a person has reset.';
