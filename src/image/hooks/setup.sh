#!/bin/sh
# Runs before anything is unpacked; $1 is the new root. Parameters lie beside this script.
set -eu
root=$1
here=$(dirname "$0")

# Pinned extra sources. MAIN-MIRROR stands for the address mmdebstrap itself chose.
main=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' "$root/etc/apt/sources.list" | head -n 1)
mkdir -p "$root/etc/apt/sources.list.d" "$root/etc/apt/preferences.d"
for source in "$here"/sources/*.sources; do
  [ -e "$source" ] || continue
  if grep -q MAIN-MIRROR "$source" && [ -z "$main" ]; then
    echo "devserver: no main mirror found in sources.list" >&2
    exit 1
  fi
  sed "s|MAIN-MIRROR|$main|" "$source" > "$root/etc/apt/sources.list.d/$(basename "$source")"
done
for preference in "$here"/preferences/*; do
  [ -e "$preference" ] || continue
  cp "$preference" "$root/etc/apt/preferences.d/"
done

# Settings that packages read while they are configured (initramfs, kernel links).
tar -x -f "$here/early.tar" -C "$root"
