CREATE ROLE reader NOLOGIN;
CREATE ROLE clerk LOGIN PASSWORD 'shop-clerk-pass' CONNECTION LIMIT 20;
CREATE ROLE auditor LOGIN PASSWORD 'shop-auditor-pass' VALID UNTIL '2099-12-31';
CREATE ROLE keeper LOGIN CREATEDB PASSWORD 'shop-keeper-pass';
GRANT reader TO auditor;
GRANT reader TO clerk WITH ADMIN OPTION;
ALTER ROLE auditor SET statement_timeout = '30s';

CREATE TABLE customer (id serial PRIMARY KEY, name text NOT NULL, email text UNIQUE);
CREATE TABLE orders (
  id bigserial PRIMARY KEY, customer_id int REFERENCES customer (id), total numeric(10, 2),
  placed timestamptz NOT NULL, note text);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE SEQUENCE invoice START 1000 INCREMENT 7;
CREATE VIEW big_orders AS SELECT * FROM orders WHERE total > 100;
CREATE FUNCTION order_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM orders';

INSERT INTO customer (name, email)
SELECT 'Customer ' || i, 'c' || i || '@example.test' FROM generate_series(1, 500) i;
INSERT INTO orders (customer_id, total, placed, note)
SELECT 1 + i % 500, (i % 977)::numeric / 7, timestamptz '2024-01-01 00:00Z' + i * interval '7 min',
  CASE WHEN i % 3 > 0 THEN 'Überweisung № ' || md5(i::text) END
FROM generate_series(1, 20000) i;
SELECT nextval('invoice') FROM generate_series(1, 42) \g /dev/null

-- Large objects from none to a million bytes, with owners and grants of their own.
CREATE TABLE attachment (id int PRIMARY KEY, name text, content oid);
INSERT INTO attachment
SELECT i, 'attachment-' || i, lo_from_bytea(0, CASE WHEN i = 0 THEN ''::bytea ELSE
  substr(decode(repeat(md5(i::text), (i * i * 2000) / 16 + 1), 'hex'), 1, i * i * 2000 + i) END)
FROM generate_series(0, 23) i;
DO $$
DECLARE content oid;
BEGIN
  FOR content IN SELECT a.content FROM attachment a WHERE id % 2 = 0 LOOP
    EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO reader', content);
  END LOOP;
  FOR content IN SELECT a.content FROM attachment a WHERE id % 5 = 0 LOOP
    EXECUTE format('ALTER LARGE OBJECT %s OWNER TO keeper', content);
  END LOOP;
END $$;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
GRANT INSERT, UPDATE ON orders TO clerk;
GRANT USAGE ON SEQUENCE orders_id_seq, invoice TO clerk;
COMMENT ON TABLE orders IS 'one row for each order';
