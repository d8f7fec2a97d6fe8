ALTER TABLE streams DROP COLUMN recorded_at;
