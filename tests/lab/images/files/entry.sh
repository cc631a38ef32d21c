#!/bin/bash
# A volume with what file systems can hold, and a folder in the container's own layer.
set -euo pipefail
done=/var/lib/lab-files-done

if [ ! -e "$done" ]; then
  mkdir -p /srv/papers/old
  cd /srv/files
  mkdir -p empty a/b/c/d private 'with space' $'new\nline' 'grüße 日本'
  echo plain >plain.txt
  : >no-bytes
  for i in {1..60}; do echo "file $i" >"a/b/c/d/f$i.txt"; done
  head -c 3000000 /dev/urandom >a/large.bin
  head -c 65536 /dev/zero >a/zeros.bin
  echo spaced >'with space/ leading and trailing '
  echo line >$'new\nline/two\nlines'
  echo utf >'grüße 日本/naïve – ☃.txt'
  echo bytes >$'not-utf8-\xff\xfe'
  echo dash >./-rf
  echo long >"$(printf 'n%.0s' {1..250})"
  ln -sfn plain.txt link
  ln -sfn /etc/hostname link-outside
  ln -sfn nowhere link-dangling
  ln -sfn a/b link-folder
  ln -f plain.txt hard-1
  ln -f plain.txt a/hard-2
  [ -p fifo ] || mkfifo fifo
  truncate -s 64M sparse.img
  printf middle | dd of=sparse.img bs=1 seek=33554432 conv=notrunc status=none
  echo secret >private/key
  echo owned >owned
  echo script >run-me
  chmod 700 private
  chmod 600 private/key
  chmod 4755 run-me
  chmod 1777 empty
  chmod 000 no-bytes
  chown -h 1000:1001 owned link 'with space'
  chown -R 33:33 a/b
  touch -h -d '1999-12-31 23:59:59.123456789Z' plain.txt link empty
  printf 'dear reader\n' >/srv/papers/letter.txt
  head -c 200000 /dev/urandom >/srv/papers/scan.bin
  echo older >/srv/papers/old/note.txt
  ln -sfn letter.txt /srv/papers/newest
  touch "$done"
fi
exec sleep infinity
