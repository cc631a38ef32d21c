#!/usr/bin/env bash
# Sourced by script/lab: an engine in mount, pid, network and cgroup namespaces of its own. The
# host's firewall, mounts, /run and other cgroups stay untouched, and the end of one process takes
# every container, mount and network with it: nothing can be left behind.

log() { printf 'lab: %s\n' "$*" >&2; }
die() {
  log "error: $*"
  exit 1
}
unavailable() {
  log "unavailable: $*"
  exit 75
}

# NAME CMD…: runs CMD and says how long it took.
step() {
  local name=$1 began
  shift
  began=$(date +%s%N)
  "$@"
  printf 'lab: %s: %-28s %6d ms\n' "$ENGINE" "$name" $((($(date +%s%N) - began) / 1000000)) >&2
}

# SECONDS WHAT CMD…: until CMD succeeds.
wait_for() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >"$LAB_DIR/wait.log" 2>&1; do
    [ $SECONDS -lt $end ] || die "gave up waiting for $what: $(tail -n 1 "$LAB_DIR/wait.log")"
    sleep 0.1
  done
}

isolated=(
  unshare --mount --propagation private --net --cgroup --pid --fork --kill-child=KILL --mount-proc
)

# Says quickly and in one line why no engine can run here, by doing what it will have to do.
check_available() {
  local why scratch
  [ "$(id -u)" -eq 0 ] || unavailable "needs root"
  [ ${#SOCKET} -le 100 ] || die "the path of the socket is too long: $SOCKET"
  [ -n "$(ls -A /sys/fs/cgroup 2>/dev/null)" ] || unavailable "no cgroups in /sys/fs/cgroup"
  if is_alive; then return 0; fi
  scratch=$(mkdir -p "$LAB_DIR" "$CACHE" && mktemp -d "$LAB_DIR/probe.XXXXXX") ||
    die "cannot write in $LAB_DIR"
  why=$("${isolated[@]}" "$SELF" __probe "$ENGINE" "$scratch" 2>&1 </dev/null) || {
    rm -rf "$scratch"
    unavailable "cannot enter namespaces: $(tail -n 1 <<<"${why:-unshare failed without a word}")"
  }
  rm -rf "$scratch"
}

# In the namespaces: a cgroup, an overlay mount and files of other users can be made.
probe() {
  local hierarchy
  for hierarchy in /sys/fs/cgroup/memory /sys/fs/cgroup; do
    [ -e "$hierarchy/cgroup.procs" ] && break
  done
  mkdir "$hierarchy/$CGROUP-probe"
  rmdir "$hierarchy/$CGROUP-probe"
  mkdir "$1/lower" "$1/upper" "$1/work" "$1/merged"
  chown 42:65534 "$1/lower"
  mount -t overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" lab "$1/merged"
}

install_packages() {
  local guard=/usr/sbin/policy-rc.d code=0
  # Where a package's script would start a system-wide daemon, this is how Debian is told not to.
  if [ -e "$guard" ] || dpkg-query -W docker.io >/dev/null 2>&1; then guard=; fi
  if [ -n "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard"
    chmod 755 "$guard"
  fi
  "$ROOT/script/setup" lab || code=$?
  if [ -n "$guard" ]; then rm -f "$guard"; fi
  [ $code -eq 0 ] || die "the packages are missing"
}

# The file holds PID and START TIME: neither a zombie nor another process of that number counts.
is_alive() {
  local pid start fields
  [ -r "$LAB_DIR/pid" ] || return 1
  read -r pid start <"$LAB_DIR/pid" || return 1
  read -ra fields < <(sed 's/^.*) //' "/proc/$pid/stat" 2>/dev/null) || return 1
  [ "${fields[0]:-Z}" != Z ] && [ "${fields[19]:-}" = "$start" ]
}

# The first process of the namespaces, child of the unshare that the file names.
inner_pid() {
  local pid
  read -r pid _ <"$LAB_DIR/pid" && awk '{ print $1 }' "/proc/$pid/task/$pid/children" 2>/dev/null
}

answers() {
  [ "$(curl -s -m 2 --unix-socket "$SOCKET" http://lab/_ping 2>/dev/null)" = OK ]
}

# Each v1 hierarchy again, rooted at our own cgroup, and no v2 tree beside them: crun refuses that.
mount_cgroups_v1() {
  local controller controllers folder
  mapfile -t controllers < <(cut -d : -f 2 /proc/self/cgroup)
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  for controller in "${controllers[@]}"; do
    [ -n "$controller" ] || continue
    folder=/sys/fs/cgroup/${controller#name=}
    mkdir -p "$folder"
    case $controller in
      name=*) mount -t cgroup -o "none,$controller" cgroup "$folder" ;;
      *) mount -t cgroup -o "$controller" cgroup "$folder" ;;
    esac
  done
}

# In v2 a cgroup that has children with controllers may hold no process itself.
mount_cgroups_v2() {
  local pid pids
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mkdir -p /sys/fs/cgroup/init
  mapfile -t pids </sys/fs/cgroup/cgroup.procs
  for pid in "${pids[@]}"; do
    echo "$pid" >/sys/fs/cgroup/init/cgroup.procs 2>/dev/null || true
  done
  sed -e 's/ / +/g' -e 's/^/+/' /sys/fs/cgroup/cgroup.controllers \
    >/sys/fs/cgroup/cgroup.subtree_control || true
}

# As the first process of the new namespaces.
enter_namespaces() {
  local kind
  kind=$(stat -fc %T /sys/fs/cgroup)
  ip link set lo up 2>/dev/null || true
  # Fresh at every start, as after a reboot: stale pid files; podman keeps locks in /dev/shm.
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  if [ "$kind" = cgroup2fs ]; then mount_cgroups_v2; else mount_cgroups_v1; fi
  cd /
}

# tini, since an engine as first process does not reap what its containers leave.
run_engine() {
  if [ "$ENGINE" = docker ]; then
    exec tini -- dockerd --data-root "$LAB_DIR/engine" --exec-root /run/docker \
      --pidfile /run/docker.pid --host "$DOCKER_HOST" --bridge=none --iptables=false \
      --ip-forward=false --ip-masq=false --storage-driver overlay2 --group root \
      --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$CGROUP" --oom-score-adjust=0
  fi
  export CONTAINERS_CONF=$LAB_DIR/containers.conf TMPDIR=$LAB_DIR/tmp
  mkdir -p "$TMPDIR"
  write_podman_settings >"$CONTAINERS_CONF"
  exec tini -- podman --root "$LAB_DIR/engine" --runroot /run/containers/storage \
    --tmpdir /run/libpod --storage-driver overlay system service --time=0 "$DOCKER_HOST"
}

# Without CAP_SYS_RESOURCE podman's own default limit is refused; soft equals hard, since its
# compatible API swaps the two. Addresses are of the ranges for documentation.
write_podman_settings() {
  local files processes
  files=$(ulimit -Hn)
  processes=$(ulimit -Hu)
  [ "$files" != unlimited ] || files=1048576
  [ "$processes" != unlimited ] || processes=-1
  cat <<CONF
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
[network]
network_backend = "netavark"
default_subnet = "198.51.100.0/24"
default_subnet_pools = [{"base" = "203.0.113.0/24", "size" = 28}]
CONF
}

# In a subshell: no file of the caller stays open in the engine, whose caller may end at will.
launch() {
  local fd
  for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    [ "$fd" -le 2 ] || eval "exec $fd>&-"
  done
  cd /
  exec setsid "${isolated[@]}" "$SELF" __inner "$ENGINE" </dev/null >>"$LAB_DIR/engine.log" 2>&1
}

start_engine() {
  local pid
  if is_alive && answers; then return 0; fi
  stop_engine TERM
  mkdir -p "$LAB_DIR/client"
  : >"$LAB_DIR/engine.log"
  (launch) &
  pid=$!
  disown "$pid"
  echo "$pid $(sed 's/^.*) //' "/proc/$pid/stat" | awk '{ print $20 }')" >"$LAB_DIR/pid"
  for _ in {1..300}; do
    if answers; then return 0; fi
    is_alive || break
    sleep 0.1
  done
  tail -n 20 "$LAB_DIR/engine.log" >&2
  die "$ENGINE does not answer on $SOCKET"
}

# TERM|KILL: TERM to the first process of the namespaces, then KILL; all containers end with it.
stop_engine() {
  local pid inner
  if is_alive; then
    read -r pid _ <"$LAB_DIR/pid"
    inner=$(inner_pid) || inner=
    if [ "$1" != KILL ] && [ -n "$inner" ]; then
      kill -TERM "$inner" 2>/dev/null || true
      for _ in {1..200}; do
        is_alive || break
        sleep 0.1
      done
    fi
    if is_alive; then
      kill -KILL ${inner:+"$inner"} "$pid" 2>/dev/null || true
      for _ in {1..100}; do
        is_alive || break
        sleep 0.05
      done
    fi
  fi
  rm -f "$LAB_DIR/pid" "$SOCKET"
  remove_cgroups
}

# The engine leaves its cgroups, empty; the kernel needs a moment after the last process.
remove_cgroups() {
  for _ in {1..10}; do
    find /sys/fs/cgroup -depth -type d \( -path "*/$CGROUP" -o -path "*/$CGROUP/*" \) \
      -exec rmdir {} + 2>/dev/null || true
    [ -n "$(find /sys/fs/cgroup -type d -name "$CGROUP" -print -quit 2>/dev/null)" ] || break
    sleep 0.1
  done
}
