#!/usr/bin/env bash
# Sourced by script/lab: the services, labelled as compose labels them, and their data.

LAB_LABEL=muniment-lab

make_volume() { # PROJECT NAME
  docker volume create --label "com.docker.compose.project=$1" \
    --label "com.docker.compose.volume=$2" --label "$LAB_LABEL=1" "$1_$2" >/dev/null
}

# NAME IMAGE [docker run options… [-- CMD…]]: makes the container when there is none of that name.
make_container() {
  local name=$1 image=$2 options=(--network none)
  shift 2
  [ -z "${FOUND[$name]:-}" ] || return 0
  # dockerd has it as a setting of its own.
  [ "$ENGINE" = docker ] || options+=(--cgroup-parent "/$CGROUP")
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  [ $# -eq 0 ] || shift
  docker run -d --name "$name" --label "$LAB_LABEL=$DEFINITION" "${options[@]}" \
    "localhost/lab/$image" "$@" >/dev/null
}

# PROJECT SERVICE NUMBER IMAGE [as make_container]
make_service() {
  local project=$1 service=$2 number=$3 image=$4 oneoff=False name=$1-$2-$3
  shift 4
  case $number in run-*) oneoff=True number=${number#run-} ;; esac
  make_container "$name" "$image" --hostname "$service" \
    --label "com.docker.compose.project=$project" --label "com.docker.compose.service=$service" \
    --label "com.docker.compose.container-number=$number" \
    --label "com.docker.compose.oneoff=$oneoff" \
    --label "com.docker.compose.project.working_dir=/srv/$project" \
    --label "com.docker.compose.project.config_files=/srv/$project/compose.yaml" \
    --label com.docker.compose.version=2.24.0 "$@"
}

make_databases() {
  local data=/var/lib/postgresql/data
  make_service shop db 1 postgres:15 -v "shop_pgdata:$data" -e POSTGRES_USER=shop \
    -e POSTGRES_DB=shop -e "POSTGRES_PASSWORD=$PG_PASSWORD" -e 'LAB_SEED=shop stock' \
    --health-cmd 'pg_isready -q -U shop' --health-interval 5s --health-timeout 4s
  make_service vault db 1 postgres:15 -v "vault_pgdata:$data" -e POSTGRES_USER=vault \
    -v "$LAB_DIR/secrets/vault_pg_password:/run/secrets/vault_pg_password:ro" \
    -e POSTGRES_PASSWORD_FILE=/run/secrets/vault_pg_password \
    -e LAB_LOCAL_AUTH=scram-sha-256 -e LAB_SEED=vault
  make_service forge db 1 postgres:15 -v "forge_pgdata:$data" -e POSTGRES_USER=forge \
    -v forge_pgsock:/var/run/postgresql -e "POSTGRES_PASSWORD=$FORGE_PASSWORD" -e LAB_SEED=forge
  make_service shop ledger 1 mariadb:10.11 -v shop_ledger:/var/lib/mysql \
    -e "MARIADB_ROOT_PASSWORD=$MARIADB_PASSWORD"
  make_service shop cache 1 redis:7 -v shop_cache:/data -e "REDIS_PASSWORD=$REDIS_PASSWORD"
  make_service shop sessions 1 redis:7 -v shop_sessions:/data \
    -e "REDIS_BACKUP_PASSWORD=$ACL_PASSWORD" -e REDIS_APP_PASSWORD=sessions-app-pass
}

make_apps() {
  make_service shop notes 1 sqlite:1 -v shop_notes:/data
  make_service shop files 1 files:1 -v shop_files:/srv/files
  make_service forge server 1 forge:1 -v forge_data:/data -v forge_pgsock:/var/run/postgresql \
    -e "FORGE_DB_PASSWORD=$FORGE_PASSWORD"
}

# What a resolver must tell apart.
make_odd_ones() {
  make_service shop stopped 1 idle:1 -- true
  make_service shop sick 1 idle:1 --health-cmd false --health-interval 4s --health-retries 1
  make_service shop job run-1 idle:1
  make_service shop pair 1 idle:1
  make_service shop pair 2 idle:1
  make_container lonely idle:1
}

write_secrets() {
  mkdir -p "$LAB_DIR/secrets"
  (umask 077 && printf %s "$VAULT_PASSWORD" >"$LAB_DIR/secrets/vault_pg_password")
}

# One list call instead of an inspect for each: it is most of the time of an idle `up`.
read_states() {
  local name state key
  declare -gA FOUND=() KEYS=()
  while read -r name state key; do
    [ -n "$name" ] || continue
    FOUND[$name]=$state
    KEYS[$name]=$key
  done < <(docker ps -a --filter "label=$LAB_LABEL" \
    --format "{{.Names}} {{.State}} {{.Label \"$LAB_LABEL\"}}")
}

ensure_containers() {
  local name stopped=() paused=()
  DEFINITION=$(definition_key)
  write_secrets
  read_states
  for name in "${!KEYS[@]}"; do
    [ "${KEYS[$name]}" = "$DEFINITION" ] && continue
    log "$ENGINE: the lab's definition has changed: fresh data"
    remove_all
    FOUND=()
    break
  done
  for name in "${!FOUND[@]}"; do
    case ${FOUND[$name]} in
      running) ;;
      paused) paused+=("$name") ;;
      *) [ "$name" = shop-stopped-1 ] || stopped+=("$name") ;;
    esac
  done
  [ ${#paused[@]} -eq 0 ] || docker unpause "${paused[@]}" >/dev/null
  [ ${#stopped[@]} -eq 0 ] || docker start "${stopped[@]}" >/dev/null
  if [ "${#FOUND[@]}" -eq 0 ]; then
    for name in pgdata cache sessions ledger notes files; do make_volume shop "$name"; done
    for name in data pgdata pgsock; do make_volume forge "$name"; done
    make_volume vault pgdata
  fi
  make_databases
  make_apps
  make_odd_ones
}

remove_all() {
  local ids
  mapfile -t ids < <(docker ps -aq --filter "label=$LAB_LABEL")
  [ ${#ids[@]} -eq 0 ] || docker rm -f -v "${ids[@]}" >/dev/null
  mapfile -t ids < <(docker volume ls -q --filter "label=$LAB_LABEL")
  [ ${#ids[@]} -eq 0 ] || docker volume rm "${ids[@]}" >/dev/null
}

# The forge first, since its database is not its own.
stop_containers() {
  local running
  docker stop -t 5 forge-server-1 >/dev/null 2>&1 || true
  mapfile -t running < <(docker ps -q --filter "label=$LAB_LABEL")
  [ ${#running[@]} -eq 0 ] || docker stop -t 5 "${running[@]}" >/dev/null 2>&1 || true
}

seed_redis() { # CONTAINER USER PASSWORD
  docker exec -e "LAB_USER=$2" -e "REDISCLI_AUTH=$3" "$1" seed.sh
}

# CONTAINER NAME PASSWORD QUERY, where NAME is both user and database.
pg_answers() {
  docker exec -e "PGPASSWORD=$3" "$1" psql -h 127.0.0.1 -U "$2" -d "$2" -tAqc "$4" | grep -q '[1-9]'
}

health_is() {
  [ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = "$2" ]
}

wait_until_ready() {
  wait_for 60 shop-cache-1 seed_redis shop-cache-1 '' "$REDIS_PASSWORD"
  wait_for 60 shop-sessions-1 seed_redis shop-sessions-1 app sessions-app-pass
  wait_for 60 shop-db-1 pg_answers shop-db-1 shop "$PG_PASSWORD" 'SELECT order_count()'
  wait_for 60 vault-db-1 pg_answers vault-db-1 vault "$VAULT_PASSWORD" 'SELECT count(*) FROM entry'
  wait_for 60 shop-notes-1 docker exec shop-notes-1 \
    sqlite3 -bail -readonly /data/app.db '.timeout 5000' 'SELECT n FROM total'
  wait_for 60 shop-files-1 docker exec shop-files-1 test -e /var/lib/lab-files-done
  wait_for 60 shop-ledger-1 docker exec -e "MYSQL_PWD=$MARIADB_PASSWORD" shop-ledger-1 \
    mariadb -e 'SELECT count(*) FROM ledger.posting'
  wait_for 60 forge-server-1 pg_answers forge-db-1 forge "$FORGE_PASSWORD" \
    'SELECT count(*) / 3 FROM push'
  # Podman has no timers without systemd, and never runs a health check.
  [ "$ENGINE" = docker ] || return 0
  wait_for 60 'shop-db-1 to be healthy' health_is shop-db-1 healthy
  wait_for 60 'shop-sick-1 to be unhealthy' health_is shop-sick-1 unhealthy
}

report_containers() {
  local name bad=0 wanted
  read_states
  for name in {shop-{db,cache,sessions,ledger,notes,files,stopped,sick,pair}-1,shop-pair-2} \
    vault-db-1 forge-{db,server}-1 shop-job-run-1 lonely; do
    wanted=running
    [ "$name" != shop-stopped-1 ] || wanted=exited
    printf '%-18s %s\n' "$name" "${FOUND[$name]:-missing}"
    [ "${FOUND[$name]:-}" = $wanted ] || bad=1
  done
  return $bad
}
