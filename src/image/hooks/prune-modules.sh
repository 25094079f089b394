#!/bin/sh
# prune-modules.sh MODULES KEEP REQUIRED: leaves of MODULES (lib/modules/VERSION) what KEEP names, with
# all dependencies and soft dependencies. Fails when a module of REQUIRED is neither there nor built in.
set -eu
modules=$1 keep=$2 required=$3
list=$(mktemp)
trap 'rm -f "$list"' EXIT

# modules.dep already holds the transitive closure of hard dependencies; soft ones (btrfs asks for its
# checksums that way, by alias) are followed until nothing new appears.
awk -v dir="$modules" '
  function name(path) { sub(/.*\//, "", path); sub(/\.ko.*/, "", path); gsub(/-/, "_", path); return path }
  function want(word,   n, i, parts) {
    gsub(/-/, "_", word)
    if (word in file) { if (!(word in kept)) { kept[word] = 1; grown = 1 } return }
    n = split(aliases[word], parts, " ")
    for (i = 1; i <= n; i++) if ((parts[i] in file) && !(parts[i] in kept)) { kept[parts[i]] = 1; grown = 1 }
  }
  BEGIN {
    while ((getline line < (dir "/modules.dep")) > 0) {
      n = split(line, f, /:? +|:$/); m = name(f[1]); file[m] = f[1]
      for (i = 2; i <= n; i++) if (f[i] != "") deps[m] = deps[m] " " name(f[i])
    }
    while ((getline line < (dir "/modules.alias")) > 0) {
      n = split(line, f, " "); if (n != 3 || f[2] ~ /[*?:]/) continue
      a = f[2]; gsub(/-/, "_", a); m = f[3]; gsub(/-/, "_", m); aliases[a] = aliases[a] " " m
    }
    while ((getline line < (dir "/modules.softdep")) > 0) {
      n = split(line, f, " "); if (f[1] != "softdep") continue
      m = f[2]; gsub(/-/, "_", m)
      for (i = 3; i <= n; i++) if (f[i] !~ /:$/) soft[m] = soft[m] " " f[i]
    }
  }
  NF { want($1) }
  END {
    do {
      grown = 0
      for (m in kept) {
        n = split(deps[m] " " soft[m], f, " ")
        for (i = 1; i <= n; i++) want(f[i])
      }
    } while (grown)
    for (m in kept) print dir "/" file[m]
  }' "$keep" | sort > "$list"

find "$modules" -type f -name '*.ko*' | sort | comm -23 - "$list" | xargs -r rm -f
find "$modules/kernel" -mindepth 1 -type d -empty -delete

missing=$(awk -v dir="$modules" -v list="$list" '
  function name(path) { sub(/.*\//, "", path); sub(/\.ko.*/, "", path); gsub(/-/, "_", path); return path }
  BEGIN {
    while ((getline line < list) > 0) there[name(line)] = 1
    while ((getline line < (dir "/modules.builtin")) > 0) there[name(line)] = 1
  }
  NF { m = $1; gsub(/-/, "_", m); if (!(m in there)) printf " %s", $1 }' "$required")
if [ -n "$missing" ]; then
  echo "devserver: the kernel $(basename "$modules") lacks the required modules:$missing" >&2
  exit 1
fi
