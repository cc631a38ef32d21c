#!/bin/bash
# As the official image does it, shortened. LAB_SEED names the scripts to run, LAB_LOCAL_AUTH what
# pg_hba.conf asks of the local socket.
set -euo pipefail
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

if [ "$(id -u)" = 0 ]; then
  # Only root can read the secret; the server's user is not root.
  [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
  export POSTGRES_PASSWORD
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres: "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi

run_sql() {
  PGPASSWORD=$POSTGRES_PASSWORD psql -v ON_ERROR_STOP=1 -q -h /tmp -U "$user" "$@"
}

# The mark is set last: killed half way, it begins anew. The socket lies in /tmp until then, so that
# nobody takes the half-made server for a ready one.
if [ ! -e "$PGDATA/lab-seeded" ]; then
  find "$PGDATA" -mindepth 1 -delete
  initdb -D "$PGDATA" -U "$user" --pwfile=<(printf %s "$POSTGRES_PASSWORD") --no-sync -E UTF8 \
    --locale=C.UTF-8 --auth-local="${LAB_LOCAL_AUTH:-trust}" --auth-host=scram-sha-256 >/dev/null
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -w start >/dev/null \
    -o "-c listen_addresses='' -c unix_socket_directories=/tmp -c jit=off -c fsync=off"
  [ "$database" = postgres ] || run_sql -d postgres -c "CREATE DATABASE \"$database\""
  for seed in ${LAB_SEED:-}; do
    run_sql -d "$database" -f "/docker-entrypoint-initdb.d/$seed.sql"
  done
  pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
  touch "$PGDATA/lab-seeded"
fi
unset POSTGRES_PASSWORD
rm -f "$PGDATA/postmaster.pid"
exec postgres -D "$PGDATA" -c listen_addresses='*' -c jit=off -c max_wal_size=128MB "$@"
