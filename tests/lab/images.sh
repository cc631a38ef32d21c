#!/usr/bin/env bash
# Sourced by script/lab: images without a registry. One root file system from Debian's packages is
# built once for both engines and imported; the images are thin layers on it.

BASE_IMAGE=localhost/lab/base:1
BASE_PACKAGES=postgresql-15,redis-server,mariadb-server-core,mariadb-client,sqlite3,git
IMAGES=(idle:1 postgres:15 redis:7 mariadb:10.11 sqlite:1 files:1 forge:1)

base_key() {
  { echo "$BASE_PACKAGES"; declare -f build_base; } | sha256sum | cut -c 1-12
}

# Without what servers need only for reading about them; half a gigabyte becomes a third.
build_base() {
  local drop excluded=() hook
  for drop in /usr/share/{man,doc,info,locale,i18n,mysql/mysql-test} /usr/lib/llvm \
    /usr/lib/x86_64-linux-gnu/lib{LLVM,z3} '/usr/lib/postgresql/*/lib/bitcode/'; do
    case $drop in /usr/share/*) drop+=/ ;; esac
    excluded+=(--dpkgopt="path-exclude=$drop*")
  done
  # shellcheck disable=SC2016  # expanded by mmdebstrap's shell
  hook='mkdir -p "$1/etc/postgresql-common" &&
    echo create_main_cluster=false >"$1/etc/postgresql-common/createcluster.conf"'
  mmdebstrap --mode=root --variant=minbase --quiet --include="$BASE_PACKAGES" \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io "${excluded[@]}" \
    --essential-hook="$hook" bookworm "$1" </dev/null
}

ensure_base_tar() {
  exec 8>"$CACHE/lock"
  flock -w 600 8 || die "another script/lab holds $CACHE/lock"
  if [ ! -s "$BASE_TAR" ]; then
    rm -f "$CACHE"/base-*.tar
    # A mirror that does not answer for a moment is asked again. mmdebstrap takes the format from
    # the name.
    local pause
    for pause in 5 20 last; do
      build_base "$CACHE/base-unfinished.tar" >"$LAB_DIR/mmdebstrap.log" 2>&1 && break
      tail -n 20 "$LAB_DIR/mmdebstrap.log" >&2
      [ $pause != last ] || die "mmdebstrap failed three times"
      sleep $pause
    done
    mv "$CACHE/base-unfinished.tar" "$BASE_TAR"
  fi
  exec 8>&-
}

import_base() {
  docker import -c "LABEL lab.key=$1" -c 'CMD ["/bin/bash"]' "$BASE_TAR" "$BASE_IMAGE" >/dev/null
  rm -rf "${LAB_DIR:?}/tmp/"* # podman leaves the uploaded tar there
}

image_key() {
  docker image inspect -f '{{index .Config.Labels "lab.key"}}' "$1" 2>/dev/null || true
}

build_image() {
  local image=$1 key=$2 folder=$ROOT/tests/lab/images/${1%:*}
  docker build -q --label "lab.key=$key" -t "localhost/lab/$image" "$folder" \
    >"$LAB_DIR/build.log" 2>&1 || {
    cat "$LAB_DIR/build.log" >&2
    die "the image $image cannot be built"
  }
}

ensure_images() {
  local base key image
  base=$(base_key)
  BASE_TAR=$CACHE/base-$base.tar
  if [ "$(image_key "$BASE_IMAGE")" != "$base" ]; then
    step '  base file system' ensure_base_tar
    step '  import' import_base "$base"
  fi
  for image in "${IMAGES[@]}"; do
    key=$base-$(cd "$ROOT/tests/lab/images/${image%:*}" && sha256sum -- * | sha256sum | cut -c 1-12)
    [ "$(image_key "localhost/lab/$image")" = "$key" ] ||
      step "  image $image" build_image "$image" "$key"
  done
}

# What the containers rest on: when it changes, old data would not fit.
definition_key() {
  { base_key
    find "$ROOT/tests/lab/images" -type f -print0 | sort -z | xargs -0 cat "$ROOT/tests/lab/services.sh"
  } | sha256sum | cut -c 1-12
}
