DROP FUNCTION refuse_change();
DROP DOMAIN instant;
DROP DOMAIN quantity;
DROP DOMAIN traded_price;
DROP DOMAIN price;
DROP DOMAIN dollars;
