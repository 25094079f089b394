#!/bin/sh
# Runs when every package is configured: group memberships, kernel modules, initrd, and then
# everything that belongs to one machine or one build is taken away again.
set -eu
root=$1
here=$(dirname "$0")

while IFS=: read -r user group; do
  [ -n "$user" ] || continue
  chroot "$root" usermod --append --groups "$group" "$user"
done < "$here/joins"

for modules in "$root"/usr/lib/modules/*; do
  [ -e "$modules/modules.dep" ] || continue
  "$here/prune-modules.sh" "$modules" "$here/keep-modules" "$here/required-modules"
  version=$(basename "$modules")
  chroot "$root" depmod -a "$version"
  # The packages were told INITRD=No: the initrd is made once, from the modules that stay.
  chroot "$root" update-initramfs -c -k "$version"
  # /initrd.img was not linked when the kernel was installed, for there was none.
  INITRD=Yes chroot "$root" linux-update-symlinks install "$version" "/boot/vmlinuz-$version"
done

# The packages came from an archive of the build; from here on they come from the distribution's.
mkdir -p "$root/etc/apt/sources.list.d" "$root/etc/apt/preferences.d"
rm -f "$root"/etc/apt/sources.list.d/*
cp "$here/sources.list" "$root/etc/apt/sources.list"
for file in "$here"/sources/*.sources "$here"/preferences/*; do
  [ -e "$file" ] || continue
  case $file in
    *.sources) cp "$file" "$root/etc/apt/sources.list.d/" ;;
    *) cp "$file" "$root/etc/apt/preferences.d/" ;;
  esac
done

for link in vmlinuz vmlinuz.old initrd.img initrd.img.old; do
  [ -L "$root/$link" ] && [ -e "$root/boot/$(basename "$(readlink "$root/$link")")" ] || { echo "devserver: /$link leads nowhere" >&2; exit 1; }
done

"$here/forget.sh" "$root"
