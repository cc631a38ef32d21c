#!/usr/bin/env bash
# What the container engine costs, beside the command line of docker in the same run:
#   a dry run of 20 modules / `docker ps` and 20 times `docker inspect`            (goal <= 1.0)
#   capture of a PostgreSQL database / `docker exec pg_dump -Fc` into a file, and its sha256sum
#                                                                  (goal <= 1.05; memory <= 64 MiB)
# MUNIMENT_BENCH_PG_MIB: size of the database's table, 2048 by default.
set -euo pipefail
folder=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
muniment=$MUNIMENT_BINARY
mib=${MUNIMENT_BENCH_PG_MIB:-2048}
rounds=3

status=0
"$root/script/lab" up docker 2>"$folder/lab.log" || status=$?
if [ $status -ne 0 ]; then
  tail -n 1 "$folder/lab.log"
  [ $status -eq 75 ] || exit 1
  echo "skipped: no engine can run here"
  exit 0
fi
eval "$("$root/script/lab" env docker)"
name=muniment-bench-$$
trap 'docker rm -f -v "$name" >/dev/null 2>&1 || true' EXIT

manifest() {
  printf 'schema = 1\n[host]\nname = "bench"\nengine = "%s"\n[store]\npath = "%s/store"\n' "$DOCKER_HOST" "$folder"
  printf '[backup]\nroot = "%s/backups"\n' "$folder"
}
{
  manifest
  for i in $(seq 20); do printf '[[module]]\nname = "m%s"\ncontainer = { compose = "shop/db" }\n' "$i"; done
} >"$folder/twenty.toml"
{
  manifest
  printf '[[module]]\nname = "big"\ncontainer = { name = "%s" }\nclass = "postgres"\ndatabases = ["shop"]\n' "$name"
} >"$folder/big.toml"
chmod 600 "$folder"/*.toml
"$muniment" -q -m "$folder/twenty.toml" init >/dev/null

twenty() { "$muniment" -q -m "$folder/twenty.toml" backup --all --dry-run >/dev/null; }
by_hand() {
  docker ps >/dev/null
  for _ in $(seq 20); do docker inspect shop-db-1 >/dev/null; done
}
# Milliseconds that a command takes.
measure() {
  local began
  began=$(date +%s%N)
  "$@"
  echo $((($(date +%s%N) - began) / 1000000))
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

twenty
for round in $(seq 10); do
  ours=$(measure twenty)
  theirs=$(measure by_hand)
  echo "dry run of 20 modules, round $round: $ours ms / $theirs ms = $(ratio "$ours" "$theirs")"
done

image=$(docker inspect -f '{{.Config.Image}}' shop-db-1)
docker run -d --name "$name" --network none --label muniment-test=1 -e POSTGRES_USER=shop -e POSTGRES_DB=shop \
  -e POSTGRES_PASSWORD="$MUNIMENT_LAB_PG_PASSWORD" "$image" >/dev/null
ready() { docker exec "$name" psql -qAt -U shop -d shop -c 'select 1' >/dev/null 2>&1; }
for _ in $(seq 300); do ! ready || break; sleep 0.2; done
# Text that compresses about as data does: half of each row is random.
docker exec "$name" psql -q -U shop -d shop -c 'create unlogged table big(id bigint, body text)' -c "
  insert into big select i, repeat(md5(i::text), 8) || string_agg(md5(random()::text), '')
  from generate_series(1, $mib * 2048) i, generate_series(1, 8) group by i"

dump_by_hand() {
  docker exec "$name" pg_dump -Fc -U shop -d shop | cat >"$folder/by-hand.dump"
  sha256sum "$folder/by-hand.dump" >/dev/null
}
peak=0
capture() {
  local pid now
  "$muniment" -q -m "$folder/big.toml" backup big >/dev/null &
  pid=$!
  while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
    [ "$now" -le "$peak" ] || peak=$now
    sleep 0.1
  done
  wait "$pid"
}
for round in $(seq "$rounds"); do
  theirs=$(measure dump_by_hand)
  capture
  ours=$("$muniment" -m "$folder/big.toml" show latest --json | jq '.steps[] | select(.kind == "capture") | .duration_ms')
  check=$("$muniment" -m "$folder/big.toml" show latest --json | jq '.steps[] | select(.kind == "verify") | .duration_ms')
  echo "PostgreSQL of $mib MiB, round $round: capture $ours ms / $theirs ms = $(ratio "$ours" "$theirs")," \
    "and $check ms to read it again; memory $((peak / 1024)) MiB"
  rm -rf "$folder/backups" "$folder/by-hand.dump"
done
