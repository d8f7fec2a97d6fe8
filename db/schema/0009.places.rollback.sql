DROP INDEX quarantine_place;
ALTER TABLE streams DROP COLUMN journaled;
