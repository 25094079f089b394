#!/bin/sh
# Runs before anything is unpacked; $1 is the new root. Parameters lie beside this script.
set -eu
root=$1
here=$(dirname "$0")

# Settings that packages read while they are configured (initramfs, kernel links).
tar -x -f "$here/early.tar" -C "$root"
