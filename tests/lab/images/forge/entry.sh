#!/bin/bash
# Like Forgejo: repositories and app.ini in /data, rows in PostgreSQL over a shared socket volume.
# Each push is a commit first and then a row with its id: in a copy taken at one moment every row
# has its commit.
set -euo pipefail
repositories=/data/git/repositories
work=/data/tmp/work
export HOME=/data/home
database=(psql -q -v ON_ERROR_STOP=1 -h /var/run/postgresql -U forge -d forge)

push_row() {
  "${database[@]}" -c "INSERT INTO push (repo, sha) VALUES ('alice/$1', '$2') ON CONFLICT DO NOTHING" || true
}

make_data() {
  local name i
  rm -rf /data/git /data/home "$work"
  mkdir -p "$HOME" /data/gitea/conf /data/gitea/attachments /data/gitea/lfs /data/ssh "$work" \
    "$repositories/alice"
  git config --global user.name Alice
  git config --global user.email alice@example.test
  git config --global init.defaultBranch main
  git config --global --add safe.directory '*'
  for name in app docs; do
    git init -q --bare "$repositories/alice/$name.git"
    git clone -q "$repositories/alice/$name.git" "$work/$name" 2>/dev/null
    for i in 1 2 3; do
      echo "$name $i" >>"$work/$name/README.md"
      git -C "$work/$name" add .
      git -C "$work/$name" commit -qm "$name: $i"
    done
    git -C "$work/$name" push -q origin HEAD:main
  done
  head -c 300000 /dev/urandom >/data/gitea/attachments/blob.bin
  umask 077
  cat >/data/gitea/conf/app.ini.new <<INI
APP_NAME = Lab forge
[database]
DB_TYPE = postgres
HOST = /var/run/postgresql
NAME = forge
USER = forge
PASSWD = $FORGE_DB_PASSWORD
[repository]
ROOT = $repositories
[security]
SECRET_KEY = lab-secret-key
INI
  umask 022
  mv /data/gitea/conf/app.ini.new /data/gitea/conf/app.ini
}

[ -e /data/gitea/conf/app.ini ] || make_data
trap 'exit 0' TERM INT
until pg_isready -q -h /var/run/postgresql -U forge; do sleep 0.2; done
for name in app docs; do
  push_row "$name" "$(git -C "$repositories/alice/$name.git" rev-parse main)"
done

# A kill may have left a lock or a half-written index in the work tree, never in what was pushed.
rm -rf "$work/app"
git clone -q --branch main "$repositories/alice/app.git" "$work/app"
while :; do
  date +%s%N >"$work/app/LOG"
  git -C "$work/app" add .
  git -C "$work/app" commit -qm tick
  if git -C "$work/app" push -q origin HEAD:main; then
    push_row app "$(git -C "$work/app" rev-parse HEAD)"
  fi
  sleep 0.4 &
  wait $!
done
