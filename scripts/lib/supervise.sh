# shellcheck shell=bash
# Service folders of one running set, supervised by s6. Sourced by scripts/run, which sets: home, programs, scan, worker_kinds.
# Every kind of process is one folder per process: jira-1, jira-2 …; its log is in $home/log/NAME, rotated.

# What stops first, first. Inside a line: together.
stop_order=("$worker_kinds" "api ledger" "rabbitmq" "epmd" "jira_simulator trello_simulator smtp_front smtpd dovecot")

# make_service NAME SCRIPT-TEXT: a folder that s6 sees only when it is whole.
make_service() {
  local folder=$scan/.$1.new
  rm -rf "$folder"
  mkdir -p "$folder/log" "$home/log/$1"
  printf '#!/bin/sh\nexec 2>&1 </dev/null\n%s\n' "$2" >"$folder/run"
  printf '#!/bin/sh\nexec s6-log n10 s2000000 %q\n' "$home/log/$1" >"$folder/log/run"
  chmod 700 "$folder/run" "$folder/log/run"
  mv "$folder" "$scan/$1"
}

# The broker's own name service: a node would start one that outlives it.
make_broker_services() {
  local environment
  environment=$(printf 'set -a; . %q; set +a' "$home/etc/rabbitmq/environment")
  make_service epmd "$environment
exec epmd -address \"\$ERL_EPMD_ADDRESS\" -port \"\$ERL_EPMD_PORT\""
  make_service rabbitmq "$environment
until epmd -port \"\$ERL_EPMD_PORT\" -names >/dev/null 2>&1; do sleep 0.1; done
cd \"\$HOME\" || exit 1
exec /usr/lib/rabbitmq/bin/rabbitmq-server"
}

# make_process KIND NUMBER
make_process() {
  make_service "$1-$2" "$(printf 'exec %q --config %q' "$programs/postroom-$1" "$home")"
}

# The folders of one kind that are there now: jira-1 jira-2 …
services_of() {
  local folder
  for folder in "$scan/$1" "$scan/$1"-[0-9]*; do
    [ -d "$folder" ] && printf '%s\n' "${folder##*/}"
  done | sort -V
  return 0
}

# stop_services SECONDS NAME…: SIGTERM, and SIGKILL for those that do not listen in time. Prints who had to be killed.
stop_services() {
  local limit=$1 name folders=()
  shift
  for name in "$@"; do
    # No supervisor, nothing to stop.
    s6-svok "$scan/$name" 2>/dev/null && folders+=("$scan/$name")
  done
  [ ${#folders[@]} -gt 0 ] || return 0
  for name in "${folders[@]}"; do s6-svc -d "$name"; done
  s6-svwait -D -t $((limit * 1000)) "${folders[@]}" 2>/dev/null && return 0
  for name in "${folders[@]}"; do
    if ! s6-svwait -D -t 10 "$name" 2>/dev/null; then
      echo "${name##*/} did not stop within $limit s and was killed" >&2
      s6-svc -k "$name"
    fi
  done
  s6-svwait -D -t 5000 "${folders[@]}" 2>/dev/null || true
}

# scale KIND COUNT on a running set or on a scan folder that is being made.
scale() {
  local kind=$1 count=$2 number name gone=()
  for number in $(seq 1 "$count"); do
    [ -d "$scan/$kind-$number" ] || make_process "$kind" "$number"
  done
  for name in $(services_of "$kind"); do
    [ "${name##*-}" -le "$count" ] || gone+=("$name")
  done
  if [ ${#gone[@]} -gt 0 ]; then
    stop_services 15 "${gone[@]}"
    for name in "${gone[@]}"; do
      rm -rf "$scan/.$name.gone"
      mv "$scan/$name" "$scan/.$name.gone"
    done
  fi
  is_supervised || return 0
  s6-svscanctl -an "$scan"
  rm -rf "$scan"/.*.gone 2>/dev/null || true  # their supervisors may still be leaving; the next start clears the rest
}

is_supervised() { s6-svscanctl -a "$scan" 2>/dev/null; }

# Stops everything in order, then the supervisor itself, and sees to it that nobody is left.
stop_set() {
  local line kind names
  for line in "${stop_order[@]}"; do
    names=()
    for kind in $line; do
      while read -r name; do names+=("$name"); done < <(services_of "$kind")
    done
    [ ${#names[@]} = 0 ] || stop_services 20 "${names[@]}"
  done
  s6-svscanctl -t "$scan" 2>/dev/null || true
  local _
  for _ in $(seq 100); do
    is_supervised || break
    sleep 0.1
  done
}
