#!/bin/bash
# Passwords go into a settings file: an argument is readable to all in /proc. No delay before a
# diskless transfer, since every dump would wait for it (the default is five seconds).
set -euo pipefail
settings=/run/lab-redis.conf

if [ "$(id -u)" = 0 ]; then
  umask 077
  {
    printf '%s\n' 'dir /data' 'bind 0.0.0.0' 'save 3600 1' 'appendonly no' \
      'repl-diskless-sync-delay 0'
    if [ -n "${REDIS_BACKUP_PASSWORD:-}" ]; then
      echo 'user default off'
      echo "user app on >$REDIS_APP_PASSWORD ~* &* +@all -@admin"
      echo "user backup on >$REDIS_BACKUP_PASSWORD resetkeys -@all +psync +sync +replconf +ping"
    else
      echo "requirepass $REDIS_PASSWORD"
    fi
  } >"$settings"
  chown -R redis: /data "$settings"
  exec setpriv --reuid=redis --regid=redis --init-groups -- "$0" "$@"
fi
cd /data
exec redis-server "$settings" "$@"
