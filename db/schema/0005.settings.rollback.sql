DROP TABLE settings_history;
DROP FUNCTION next_settings_version();
DROP TABLE settings_layers;
