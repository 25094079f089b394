#!/bin/sh
# forget.sh ROOT: no secret and no identity of this build or machine stays in the image. Two appliances
# of one image share nothing but the programs; first boot makes the rest under /srv.
set -eu
root=$1

empty() {
  [ ! -d "$root/$1" ] || find "$root/$1" -mindepth 1 -delete
}

rm -f "$root"/etc/ssh/ssh_host_* "$root"/var/lib/dbus/machine-id "$root"/var/lib/systemd/random-seed \
  "$root"/var/lib/systemd/credential.secret "$root"/etc/hostname "$root"/etc/resolv.conf \
  "$root"/etc/passwd- "$root"/etc/shadow- "$root"/etc/group- "$root"/etc/gshadow- \
  "$root"/etc/ssl/certs/ssl-cert-snakeoil.pem

# slapd makes an example database with a random admin password, ssl-cert a key of its own.
empty var/lib/ldap
empty etc/ldap/slapd.d
empty etc/ssl/private
rm -f "$root"/var/cache/debconf/passwords.dat "$root"/var/cache/debconf/*-old
# Java 8 dumps its classes while it is configured, each time otherwise; without the dump it starts a moment later.
rm -f "$root"/usr/lib/jvm/java-8-*/jre/lib/*/server/classes.jsa
empty var/tmp
# /tmp and apt's folders are mmdebstrap's to clean: its own apt configuration lies in /tmp until the end, and
# without it its last "apt-get update" would empty the building machine's lists.
find "$root/var/log" -type f -delete
# The hash link of the deleted snakeoil certificate.
[ ! -d "$root/etc/ssl/certs" ] || find "$root/etc/ssl/certs" -lname ssl-cert-snakeoil.pem -delete
: > "$root/etc/machine-id"
