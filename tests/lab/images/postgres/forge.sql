CREATE TABLE repository (id serial PRIMARY KEY, owner_name text, name text, UNIQUE (owner_name, name));
CREATE TABLE push (
  id bigserial PRIMARY KEY, repo text NOT NULL, sha text NOT NULL, at timestamptz DEFAULT now(),
  UNIQUE (repo, sha));
INSERT INTO repository (owner_name, name) VALUES ('alice', 'app'), ('alice', 'docs');
