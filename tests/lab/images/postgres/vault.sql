CREATE TABLE entry (id int PRIMARY KEY, sealed bytea NOT NULL);
INSERT INTO entry SELECT i, decode(md5('entry ' || i), 'hex') FROM generate_series(1, 1000) i;
