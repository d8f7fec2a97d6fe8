DROP TABLE account_progress;
DROP TABLE balances;
