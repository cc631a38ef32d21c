#!/bin/bash
set -euo pipefail
data=/var/lib/mysql
small=(--innodb-buffer-pool-size=16M --innodb-log-file-size=8M --skip-networking)
mkdir -p /run/mysqld
chown mysql: /run/mysqld "$data"

# The mark is set last: killed half way, it begins anew.
if [ ! -e "$data/lab-seeded" ]; then
  find "$data" -mindepth 1 -delete
  mariadb-install-db --no-defaults --user=mysql --datadir="$data" --skip-test-db \
    --auth-root-authentication-method=normal "${small[@]}" >/tmp/install.log 2>&1 ||
    { cat /tmp/install.log >&2; exit 1; }
  {
    echo 'FLUSH PRIVILEGES;'
    cat /usr/local/bin/ledger.sql
    echo "ALTER USER root@localhost IDENTIFIED BY '$MARIADB_ROOT_PASSWORD';"
  } | mariadbd --no-defaults --bootstrap --user=mysql --datadir="$data" "${small[@]}" 2>/tmp/seed.log ||
    { cat /tmp/seed.log >&2; exit 1; }
  touch "$data/lab-seeded"
fi
exec mariadbd --no-defaults --user=mysql --datadir="$data" --socket=/run/mysqld/mysqld.sock \
  "${small[@]}" "$@"
