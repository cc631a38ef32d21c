#!/bin/bash
# Every type, in small and large encodings, with and without a time to live, in two databases.
# A login comes in REDISCLI_AUTH (and LAB_USER); a second run changes nothing.
set -euo pipefail
client=(redis-cli --no-auth-warning)
[ -z "${LAB_USER:-}" ] || client+=(--user "$LAB_USER")
[ "$("${client[@]}" get seeded)" != yes ] || exit 0

# COUNT TEXT: a line for each number, which stands for every & in TEXT.
lines() { seq 1 "$1" | sed "s/.*/$2/"; }
many() { lines "$@" | tr '\n' ' '; }
{
  echo flushall
  lines 800 'set session:& "user & \\x00\\xff\\r\\n"'
  lines 200 'set token:& abc ex 86&00000'
  echo "set number 42"
  echo "setbit bits 100000 1"
  echo "pfadd visitors $(many 500 'v&')"
  echo "rpush queue:small a b c"
  echo "rpush queue:large $(many 3000 'job-&-with-a-longer-text')"
  echo "sadd set:small x y z"
  echo "sadd set:numbers $(many 300 '&')"
  echo "sadd set:large $(many 1500 'member-&')"
  echo "zadd board 1 ann 2.5 bob -inf low +inf high"
  echo "zadd board:large $(many 1500 '&.25 player-&')"
  echo "hset cart:1 sku-1 2 sku-2 5"
  echo "hset cart:large $(many 1500 'field-& value-&')"
  echo "expire cart:1 864000"
  lines 300 'xadd log:1 &-1 level info text line-&'
  echo "xgroup create log:1 workers 0"
  echo "xreadgroup group workers w1 count 5 streams log:1 >"
  echo "geoadd places 13.361389 38.115556 Palermo"
  echo "select 3"
  lines 100 'set other:& &'
  echo "hset in:three k v"
  echo "set in:three:soon v ex 172800"
  echo "select 0"
  echo "set seeded yes"
} | "${client[@]}" >/tmp/seed.log
! grep -i '^(error)\|^ERR\|^NOPERM\|^NOAUTH\|^WRONG' /tmp/seed.log
