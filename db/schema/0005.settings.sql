-- Stop settings: their layers as they stand, and every change.
-- depends: 0004.stops

CREATE TABLE settings_layers (
    layer text NOT NULL CHECK (layer IN ('defaults', 'strategy', 'account', 'symbol')),
    name text NOT NULL,
    settings jsonb NOT NULL,
    PRIMARY KEY (layer, name)
);
COMMENT ON TABLE settings_layers IS 'Each layer of stop settings as it stands. A trade''s own layer is kept on the trade.';

CREATE TABLE settings_history (
    version integer PRIMARY KEY CHECK (version > 0),
    layer text NOT NULL,
    name text NOT NULL,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    reason text NOT NULL,
    requested_by text NOT NULL,
    ts instant NOT NULL
);
COMMENT ON TABLE settings_history IS 'Every change of stop settings, append-only: the changed keys before and after; absent means unset.';
COMMENT ON COLUMN settings_history.version IS 'Of all settings together; the highest one is in force.';

CREATE FUNCTION next_settings_version() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM settings_history) THEN
        RAISE EXCEPTION 'settings version % does not follow the one in force', NEW.version USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION next_settings_version() IS 'Settings change by compare-and-set: a version follows the one before.';
CREATE TRIGGER next_settings_version BEFORE INSERT ON settings_history FOR EACH ROW EXECUTE FUNCTION next_settings_version();
