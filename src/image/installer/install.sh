#!/bin/sh
# install.sh [--check]: makes a minimal machine the server that this folder was made for; --check only looks whether it can.
# Run again, it goes on where it was cut short, or takes a newer release. Parameters lie beside this script; none is a secret.
# Ends with 64 when the machine can not become the server, 65 while another installation goes on.
set -eu
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
here=$(cd "$(dirname "$0")" && pwd)
kept=/var/lib/devserver/installation
policy=/usr/sbin/policy-rc.d
mark='# of an installation of devserver that goes on'
ours=
stopped=
bad=
# a connection that breaks ends nothing: what has begun is brought to its end
trap '' PIPE

# who listened may be gone
say() { echo "devserver: $*" || true; }
# wrong WHAT REMEDY: told with all others before anything is changed
wrong() { bad=1; printf 'devserver: %s\n  %s\n' "$1" "$2" >&2; }
parameter() { cat "$here/$1"; }
listens() { cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v hex="$(printf '%04X' "$1")" '$4 == "0A" && $2 ~ ":" hex "$" { found = 1 } END { exit !found }'; }
# added KEPT PARAMETER: lines that the installation before this one did not have
added() { if [ -e "$kept/$1" ]; then comm -13 "$kept/$1" "$here/$2"; else parameter "$2"; fi; }

# What somebody made is not overwritten: a file may be there when a package brought it and nobody changed it since.
somebodys() {
  owner=$(dpkg --search "$1" 2>/dev/null | sed -n '1s/:.*//p')
  [ -n "$owner" ] || return 0
  dpkg --verify "$owner" | grep -q " $1\$"
}

# What each folder will need, added up where several are on one file system.
look_for_room() {
  needs='/usr:1700000 /var:700000 /var/tmp:500000 /srv:200000'
  [ ! -e "$kept/begun" ] || needs='/usr:300000 /var:400000 /var/tmp:500000'
  for need in $needs; do
    folder=${need%:*}
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    echo "$(df -P -k "$folder" | awk 'NR == 2 { print $6, $4 }') ${need#*:}"
  done | awk '{ free[$1] = $2; need[$1] += $3 } END { for (it in need) if (free[it] < need[it]) print it, int(free[it] / 1024), int(need[it] / 1024) }' > "$here/room"
  while read -r folder free need; do
    wrong "$folder has $free MiB free" "$need MiB are needed"
  done < "$here/room"
}

look_at_accounts() {
  while IFS=: read -r user id _; do
    [ -n "$user" ] || continue
    for kind in passwd group; do
      there=$(getent "$kind" "$user" | cut -d: -f3)
      [ -z "$there" ] || [ "$there" = "$id" ] || wrong "$user has the number $there in $kind, not $id" "rename or remove it"
      other=$({ getent "$kind" "$id" || true; } | cut -d: -f1 | grep -v -x -e "$user" || true)
      [ -z "$other" ] || wrong "the number $id is $other's in $kind, and the account $user needs it" "give $other another one"
    done
  done < "$here/accounts"
}

look_at_firewalls() {
  for unit in docker.service firewalld.service netfilter-persistent.service snap.lxd.daemon.service; do
    ! systemctl --quiet is-active "$unit" || wrong "$unit filters or forwards here" "disable it: the server brings its own firewall"
  done
  if command -v ufw >/dev/null && ufw status | grep -q 'Status: active'; then
    wrong "ufw filters here" "ufw disable: the server brings its own firewall"
  fi
  if command -v nft >/dev/null; then
    rules=$(nft list ruleset 2>/dev/null | grep -c -v -E '^[[:space:]]*(table|chain|type|}|$)' || true)
    [ "${rules:-0}" = 0 ] || wrong "nft has $rules lines of rules here" "remove them: the server brings its own firewall"
  fi
}

look() {
  . /etc/os-release
  [ "${VERSION_CODENAME:-}" = "$(parameter suite)" ] ||
    wrong "this is ${PRETTY_NAME:-another system}, and the server is for $(parameter title)" "choose the base with --base, or another machine"
  [ "$(dpkg --print-architecture)" = "$(parameter architecture)" ] ||
    wrong "its packages are of the architecture $(dpkg --print-architecture)" "the server needs $(parameter architecture)"
  [ -d /run/systemd/system ] || wrong "systemd does not run here" "a machine or container that boots with systemd is needed"
  memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
  # of what a machine has, firmware and kernel take a part
  [ "$memory" -ge $(($(parameter memory) * 9 / 10)) ] ||
    wrong "it has $memory MiB of memory, and the answers say $(parameter memory)" "give it more, or answer --memory"
  look_for_room
  look_at_accounts
  while read -r unit; do
    systemctl --quiet is-active "$unit" || wrong "$unit does not run here" "install and start it; what is to be installed relies on it"
  done < "$here/relies"
  # what an earlier run looked at is there by it, or by the packages it installed
  added looked files > "$here/added-files"
  while read -r file; do
    [ -e "$file" ] || [ -L "$file" ] || continue
    case $file in /etc/systemd/system/*.wants/*) continue ;; esac
    # masked already
    [ "$(readlink "$file" || true)" != /dev/null ] || continue
    ! somebodys "$file" || wrong "$file is there and somebody's own" "move it away if the server may replace it"
  done < "$here/added-files"
  if command -v sshd >/dev/null; then
    for port in $(sshd -T 2>/dev/null | sed -n 's/^port //p'); do
      [ "$port" = 22 ] || grep -q -s -w -e "$port" /etc/devserver/nftables.d/*.nft ||
        wrong "ssh answers on port $port, which the server's firewall will close" \
          "let it answer on 22, or write /etc/devserver/nftables.d/ssh.nft: table inet devserver { chain input { tcp dport $port accept; } }"
    done
  fi
  # one that was cut short may have started what listens
  [ ! -e "$kept/begun" ] || [ -e "$kept/ports" ] || return 0
  added ports ports > "$here/added-ports"
  while read -r port; do
    ! listens "$port" || wrong "port $port is taken" "stop what listens there: the server needs the whole machine"
  done < "$here/added-ports"
  [ -e "$kept/begun" ] || look_at_firewalls
}

accounts() {
  while IFS=: read -r user id home; do
    [ -n "$user" ] || continue
    getent group "$user" >/dev/null || groupadd --system --gid "$id" -- "$user"
    getent passwd "$user" >/dev/null ||
      useradd --system --uid "$id" --gid "$id" --home-dir "${home:-/nonexistent}" --no-create-home --shell /usr/sbin/nologin -- "$user"
  done < "$here/accounts"
}

# Runs a program, with what it says in a log. A machine that has just booted may be installing updates itself, and holds locks
# for which few of these wait.
patiently() {
  tries=0
  until "$@" > "$here/log" 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 120 ] || ! grep -q -i -E 'could not get lock|locked by another process' "$here/log"; then
      tail -n 40 "$here/log" >&2 || true
      return 1
    fi
    sleep 5
  done
}

update() {
  patiently apt-get -q -o Acquire::Retries=3 -o APT::Update::Error-Mode=any update
}

sources() {
  lists=/etc/apt/sources.list.d
  for file in "$lists"/devserver-*.sources; do
    name=${file##*/devserver-}
    [ ! -e "$file" ] || [ -e "$here/sources/$name" ] || rm -f "$file" "/etc/apt/preferences.d/devserver-${name%.sources}"
  done
  update
  # beside the base's own suite, as this machine gets it
  main=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $(parameter suite)" | sed -n '1s|/$||p')
  if [ -z "$main" ] && grep -q -s @MAIN@ "$here"/sources/*.sources; then
    say "apt has no archive of $(parameter suite) here" >&2
    return 1
  fi
  more=
  for file in "$here"/sources/*.sources; do
    [ -e "$file" ] || continue
    name=$(basename "$file")
    cp "$here/preferences/${name%.sources}" "/etc/apt/preferences.d/devserver-${name%.sources}"
    sed "s|@MAIN@|$main|" "$file" > "$lists/devserver-$name"
    more=1
  done
  [ -z "$more" ] || update
}

take_packages() {
  # names of packages have no blanks
  patiently apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
    install --yes --no-install-recommends --fix-broken "$@" $(cat "$here/packages")
}

# Before what they run is replaced; and what a package may have started that must not run at all.
stop() {
  [ ! -e "$kept/units" ] || stopped=1
  masks=$(sed -n 's|^/etc/systemd/system/\([^/]*\)$|\1|p' "$here/files")
  for unit in $(cat "$kept/units" "$here/units" 2>/dev/null | grep -v -x nftables.service | tac) $masks; do
    systemctl stop "$unit" 2>/dev/null || ! systemctl --quiet is-active "$unit"
  done
}

# Nothing starts before its settings are there; and what was cut short is brought to its end.
prepare() {
  if ! grep -q -s -e "$mark" "$policy"; then
    [ ! -e "$policy" ] || mv "$policy" "$policy.before"
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" > "$policy.new"
    chmod 755 "$policy.new"
    mv "$policy.new" "$policy"
  fi
  ours=1
  # where manuals are left out, alternatives still link to them
  for section in 1 2 3 4 5 6 7 8; do mkdir -p "/usr/share/man/man$section"; done
  patiently debconf-set-selections "$here/debconf"
  patiently dpkg --force-confold --configure --pending || say "apt goes on with what dpkg left"
}

packages() {
  take_packages -o APT::Keep-Downloaded-Packages=false
  allow_starts
}

allow_starts() {
  [ -n "$ours" ] || return 0
  rm -f "$policy"
  [ ! -e "$policy.before" ] || mv "$policy.before" "$policy"
  ours=
}

# However it ends.
finish() {
  allow_starts
  if [ -n "$stopped" ]; then
    say "it goes on as it was" >&2
    xargs -r -a "$kept/units" -- systemctl start || true
  fi
}

# Whole or not at all, power cuts too.
keep() {
  sort -u "$2" > "$kept/$1.new"
  sync "$kept/$1.new"
  mv "$kept/$1.new" "$kept/$1"
}

files() {
  touch "$kept/files"
  cat "$kept/files" "$here/files" > "$here/all"
  keep files "$here/all"
  stopped=
  tar --extract --file="$here/files.tar" --directory=/ --numeric-owner --same-permissions --keep-directory-symlink --no-overwrite-dir
  comm -23 "$kept/files" "$here/files" > "$here/gone"
  while read -r gone; do
    # what must not start by itself must not as long as its package is there
    [ "$(readlink "$gone" || true)" = /dev/null ] || rm -f -- "$gone"
  done < "$here/gone"
  sync
  for name in units ports files; do keep "$name" "$here/$name"; done
  while IFS=: read -r user group; do
    [ -z "$user" ] || usermod --append --groups "$group" -- "$user"
  done < "$here/joins"
}

# What of ours the system's own services read.
tell_system() {
  systemctl daemon-reload
  ! grep -q -x nftables.service "$here/units" || systemctl reload-or-restart nftables.service
  sed -n 's|^/usr/lib/tmpfiles.d/||p' "$here/files" | xargs -r systemd-tmpfiles --create
  systemctl restart systemd-sysctl.service || say "not every kernel setting can be made here"
  for unit in systemd-journald.service systemd-resolved.service; do
    ! systemctl --quiet is-active "$unit" || systemctl restart "$unit"
  done
  ! systemctl --quiet is-active systemd-networkd.service || networkctl reload || say "the machine's network does not read its settings again"
  if command -v udevadm >/dev/null; then
    udevadm control --reload 2>/dev/null || say "udev does not run here: no USB disk is noticed"
  fi
  if command -v apparmor_parser >/dev/null; then
    for name in $(sed -n 's|^/etc/apparmor.d/local/||p' "$here/files"); do
      [ ! -e "/etc/apparmor.d/$name" ] || apparmor_parser --replace "/etc/apparmor.d/$name" || say "AppArmor does not take $name"
    done
  fi
}

start() {
  tell_system
  mkdir -p /run/credstore
  for file in "$here"/credentials/*; do
    [ ! -e "$file" ] || cp "$file" /run/credstore/
  done
  systemctl restart devserver-boot.service
  rm -f /run/credstore/devserver.*
  xargs -r -a "$here/units" -- systemctl start
}

wait_until_ready() {
  for _ in $(seq 300); do
    status=$(devserver status --json 2>/dev/null) || status=
    case $status in *'"ready":true'*) return ;; esac
    sleep 2
  done
  devserver status >&2 || true
  say "not every component is ready after ten minutes; devserver doctor says what to do" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || { say "only root can install" >&2; exit 64; }
exec 9> /run/devserver-install.lock
flock --nonblock 9 || { say "an installation is under way here" >&2; exit 65; }

look
[ -z "$bad" ] || exit 64
[ "${1:-}" != --check ] || exit 0
trap finish EXIT
trap 'exit 130' HUP INT TERM
mkdir -p "$kept"
touch "$kept/begun" "$kept/looked"
cat "$kept/looked" "$here/files" > "$here/all"
keep looked "$here/all"
say "step accounts"; accounts
say "step package sources"; sources
say "step download"; prepare; take_packages --download-only
say "step stop"; stop
say "step packages"; packages
say "step files"; files
say "step start"; start
say "step wait until every component is ready"; wait_until_ready
say "recipient $(cat /srv/system/secrets/backup/disaster 2>/dev/null || true)"
say "ready $(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' /srv/system/site.json)"
