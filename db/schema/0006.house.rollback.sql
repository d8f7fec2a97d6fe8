DROP TABLE system_state;
DROP TABLE streams;
DROP TABLE leader;
