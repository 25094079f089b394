#!/bin/sh
# Runs when only the essential packages are there: accounts get their fixed numbers before any
# package can take one, and debconf its answers before any package asks.
set -eu
root=$1
here=$(dirname "$0")

# Written by hand because useradd may not be installed yet. shadow's "*" and "!" admit no password.
while IFS=: read -r user id home; do
  [ -n "$user" ] || continue
  if grep -q "^$user:" "$root/etc/passwd" || grep -q "^[^:]*:[^:]*:$id:" "$root/etc/passwd" "$root/etc/group"; then
    echo "devserver: account $user ($id) collides with one of the base system" >&2
    exit 1
  fi
  grep -q "^$user:" "$root/etc/group" && { echo "devserver: group $user exists already" >&2; exit 1; }
  echo "$user:x:$id:" >> "$root/etc/group"
  [ ! -e "$root/etc/gshadow" ] || echo "$user:!::" >> "$root/etc/gshadow"
  if [ -e "$root/etc/shadow" ]; then
    echo "$user:!*:20454::::::" >> "$root/etc/shadow"
    echo "$user:x:$id:$id::$home:/usr/sbin/nologin" >> "$root/etc/passwd"
  else
    echo "$user:*:$id:$id::$home:/usr/sbin/nologin" >> "$root/etc/passwd"
  fi
done < "$here/accounts"

# Where manuals are left out, alternatives still link to them (Java's postinst fails without the folder).
for section in 1 2 3 4 5 6 7 8; do mkdir -p "$root/usr/share/man/man$section"; done

if [ -s "$here/debconf" ]; then
  chroot "$root" debconf-set-selections < "$here/debconf"
fi
