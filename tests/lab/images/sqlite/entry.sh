#!/bin/bash
# An app that keeps committing to a database in WAL mode, about 50 times a second. Each commit adds
# a row and counts it in another table: a copy where the two differ was not taken at one moment.
set -euo pipefail
database=/data/app.db

sqlite3 -bail "$database" >/dev/null <<'SQL'
PRAGMA journal_mode = wal;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS notes (
  id INTEGER PRIMARY KEY, body TEXT NOT NULL, made TEXT NOT NULL DEFAULT (datetime('now')));
CREATE TABLE IF NOT EXISTS total (n INTEGER NOT NULL);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
INSERT INTO notes (body) SELECT 'note ' || i || ' ' || hex(randomblob(200)) FROM n
WHERE NOT EXISTS (SELECT 1 FROM notes);
INSERT INTO total SELECT count(*) FROM notes WHERE NOT EXISTS (SELECT 1 FROM total);
COMMIT;
SQL

# One connection that stays open, so that committed rows are always in the -wal file alone.
coproc writer { exec sqlite3 -batch "$database"; }
# shellcheck disable=SC2154  # set by coproc
pid=$writer_PID out=${writer[1]}
trap 'exec {out}>&-; wait "$pid"; exit 0' TERM INT
printf '%s\n' '.timeout 5000' 'PRAGMA synchronous = normal;' >&"$out"
exec {never}<> <(:)
while kill -0 "$pid" 2>/dev/null; do
  echo "BEGIN IMMEDIATE; INSERT INTO notes (body) VALUES ('tick'); UPDATE total SET n = n + 1; COMMIT;" >&"$out"
  read -r -t 0.02 -u "$never" || true
done
exit 1
