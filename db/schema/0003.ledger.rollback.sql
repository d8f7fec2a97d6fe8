DROP TABLE quarantine;
DROP TABLE outbox;
DROP TABLE journal;
DROP TABLE inbox;
