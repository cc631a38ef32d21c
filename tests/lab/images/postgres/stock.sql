CREATE DATABASE stock OWNER keeper;
\connect stock
SET ROLE keeper;
CREATE SCHEMA shelf;
CREATE TABLE shelf.item (
  id int PRIMARY KEY, name text NOT NULL, held int NOT NULL CHECK (held >= 0), photo bytea,
  tags text[], extra jsonb);
INSERT INTO shelf.item
SELECT i, 'item ' || i, i % 37, decode(md5(i::text), 'hex'), ARRAY['a' || i % 5, 'b,"{' || i % 3],
  jsonb_build_object('weight', i / 8.0, 'odd', i % 2 = 1)
FROM generate_series(1, 2000) i;
CREATE MATERIALIZED VIEW shelf.empty AS SELECT id FROM shelf.item WHERE held = 0;
GRANT USAGE ON SCHEMA shelf TO reader;
GRANT SELECT ON shelf.item TO reader;
