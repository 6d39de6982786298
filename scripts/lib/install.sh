#!/usr/bin/env bash
# Installs what is missing of the Debian packages that Postroom needs.
#
# usage: scripts/lib/install.sh [--list] GROUP...     groups: build, run, demo, test
#
# Needs root or sudo only when something is missing; else it says the exact command. Starts no service and leaves none enabled: Postroom runs
# private servers of its own, on loopback, from its own folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=packages.sh
. "$here/packages.sh"

services="rabbitmq-server.service epmd.service epmd.socket dovecot.service dovecot.socket opensmtpd.service"

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# A machine has one mail server: another that is there stays, and the demo and the tests do without OpenSMTPD.
is_wanted() {
  [ "$1" != opensmtpd ] || ! dpkg-query -W -f '${db:Status-Status} ${Provides}\n' 2>/dev/null | grep -q '^installed .*mail-transport-agent'
}

# Runs a command as root; fails when there is no way to.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

may_be_root() {
  [ "$(id -u)" = 0 ] && return 0
  command -v sudo >/dev/null || return 1
  [ -t 0 ] || sudo -n true 2>/dev/null
}

# While packages are installed, nothing may start by itself: a system-wide broker would take ports and memory that nobody asked for.
install_quietly() {
  local policy=/usr/sbin/policy-rc.d is_ours=no service before
  local -A was_enabled=()
  if command -v systemctl >/dev/null; then
    for service in $services; do
      before=$(systemctl is-enabled "$service" 2>/dev/null || true)
      was_enabled[$service]=$before
    done
  fi
  if [ ! -e $policy ]; then
    is_ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
  fi
  local status=0
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
    "$@" >"$log" 2>&1 </dev/null || status=$?
  [ $is_ours = no ] || as_root rm -f $policy
  if [ $status = 0 ] && command -v systemctl >/dev/null; then
    for service in $services; do
      # Left as it was when somebody had enabled it before us.
      [ "${was_enabled[$service]}" = enabled ] || as_root systemctl disable "$service" >/dev/null 2>&1 || true
    done
  fi
  return $status
}

case ${1:-} in
  -h | --help | '')
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  --list)
    shift
    packages_of "$@"
    exit 0
    ;;
esac

for group in "$@"; do
  [ -n "${package_groups[$group]:-}" ] || { echo "install: there is no group \"$group\" (build, run, demo, test)" >&2; exit 2; }
done
missing=()
for package in $(packages_of "$@"); do
  is_installed "$package" || ! is_wanted "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! grep -q '^12' /etc/debian_version 2>/dev/null; then
  echo "install: this is not Debian 12; other versions were never tried" >&2
fi
if ! may_be_root; then
  {
    echo "install: these packages are missing and installing them needs root. Run this once, then try again:"
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  } >&2
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing ${#missing[@]} packages: ${missing[*]}"
if ! as_root apt-get update -qq -o DPkg::Lock::Timeout=300 >"$log" 2>&1 </dev/null; then
  cat "$log" >&2
  echo "install: apt-get update failed; trying with the lists that are there" >&2
fi
if ! install_quietly "${missing[@]}"; then
  tail -n 30 "$log" >&2
  echo "install: apt-get install failed" >&2
  exit 1
fi
for package in "${missing[@]}"; do
  is_installed "$package" || { echo "install: $package is still missing" >&2; exit 1; }
done
