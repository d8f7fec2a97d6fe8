-- Values that no table may do without, and the guards of what must never change.
-- Names stand without a schema: the session that applies this has set search_path and works as the owner.

CREATE DOMAIN dollars AS numeric CHECK (VALUE > '-Infinity' AND VALUE < 'Infinity');
COMMENT ON DOMAIN dollars IS 'Dollars, may be negative. NaN sorts above Infinity, so the upper bound refuses it too.';

CREATE DOMAIN price AS numeric CHECK (VALUE >= 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN price IS 'Dollars for one contract, or one unit of the underlying; not negative, finite.';

CREATE DOMAIN traded_price AS numeric CHECK (VALUE > 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN traded_price IS 'A price at which something was traded: never 0.';

CREATE DOMAIN quantity AS numeric CHECK (VALUE >= 0 AND VALUE < 'Infinity');
COMMENT ON DOMAIN quantity IS 'Contracts or units; not negative, finite.';

CREATE DOMAIN instant AS timestamptz CHECK (VALUE >= '1970-01-01 00:00:00+00' AND VALUE < '2262-01-01 00:00:00+00');
COMMENT ON DOMAIN instant IS 'An instant between 1970 and 2261.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows stand for ever', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;
COMMENT ON FUNCTION refuse_change() IS 'Stands before UPDATE, DELETE and TRUNCATE of append-only tables; it stops the owner as well.';
