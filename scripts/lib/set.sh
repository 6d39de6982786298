# shellcheck shell=bash
# The life of one running set: lock, build, home, start, ready, stop. Sourced by scripts/run after supervise.sh.

# The lock is inherited by everything that is started, so it is free only when nobody of the set is left.
take_lock() {
  (umask 077 && mkdir -p "$home/run")
  exec 9>>"$home/run/set.lock"
  flock -n 9 && return 0
  exec 9>&-
  local owner
  owner=$(cat "$home/run/set.pid" 2>/dev/null || true)
  die "it is running already in $home${owner:+ (process $owner)}; \`scripts/run stop\` ends it, --home DIR starts another"
}

install_and_build() {
  local groups=(build run) kind
  [ "$mode" = production ] || groups+=(demo)
  if [ "$is_building" = no ]; then
    for kind in api ledger $worker_kinds mail-sandbox; do
      [ -x "$programs/postroom-$kind" ] || die "there is no postroom-$kind in $programs"
    done
    return 0
  fi
  [ "$does_install" = no ] || scripts/lib/install.sh "${groups[@]}" 9>&-
  echo "building the release (log: build/release.log)"
  mkdir -p build
  if ! {
    cmake --preset release -DPOSTROOM_TESTS=OFF -DPOSTROOM_CRASH_POINTS=OFF >build/release.log 2>&1 &&
      cmake --build --preset release -- -j "$(nproc)" 2>&1 | tee -a build/release.log | awk '/^\[/ && NR % 25 == 0 { print "  " $1; fflush() }'
  } 9>&-; then
    tail -n 40 build/release.log >&2
    die "the build failed"
  fi
}

# value KEY: one key of the configuration in force, without quotes.
value() { printf '%s\n' "$effective" | sed -n "s/^${1//./\\.} = \(.*[^ ]\) *  # .*$/\1/p" | sed -e 's/^"//' -e 's/"$//'; }

prepare_home() {
  is_first_start=yes
  [ ! -e "$home/data/postroom.sqlite" ] || is_first_start=no
  "$programs/postroom" init --home "$home" 9>&-
  [ "$mode" = production ] || python3 tests/e2e/demo/prepare.py "$home"
  effective=$("$programs/postroom" config check --home "$home") || { printf '%s\n' "$effective" | grep -E '^(wrong|warning):' >&2; die "the configuration is wrong"; }
  printf '%s\n' "$effective" | grep '^warning:' >&2 || true
  api=http://$(value api.listen_host):$(value api.listen_port)
  admin_token=$(cat "$home/secrets/admin-token")
}

scale_list() {
  local item kind count
  for item in ${1//,/ }; do
    kind=${item%%=*}
    count=${item#*=}
    case " $scalable " in *" $kind "*) ;; *) die "cannot scale $kind; these can: $scalable" ;; esac
    [[ $count =~ ^[0-9]{1,2}$ ]] || die "$item: how many? e.g. $kind=3"
    scale "$kind" "$((10#$count))"
  done
}

start_set() {
  rm -rf "$scan"
  mkdir "$scan"
  printf '%s\n' "$programs" >"$home/run/programs"
  printf '%s\n' $$ >"$home/run/set.pid"
  make_broker_services
  local kind
  for kind in ledger api $worker_kinds; do make_process "$kind" 1; done
  [ -z "$workers" ] || scale_list "$workers"
  [ "$mode" = production ] || make_far_sides
  # A session of its own: the terminal's Ctrl-C reaches this script only, which then stops things in order.
  setsid s6-svscan "$scan" </dev/null >"$home/log/supervisor" 2>&1 &
  supervisor=$!
}

# The simulators of Jira and Trello, and the mail servers whose commands prepare.py wrote.
make_far_sides() {
  local kind file
  for kind in jira trello; do
    make_service ${kind}_simulator "$(printf 'exec python3 -B %q --port %q --log %q --state %q' "$root/tests/sims/$kind.py" \
      "$(cat "$home/run/$kind-simulator.port")" "$home/log/$kind-requests.jsonl" "$home/data/$kind-simulator.json")"
  done
  for file in "$home"/run/mail-servers/*; do
    make_service "${file##*/}" "exec $(cat "$file")"
  done
}

# The demo's mail servers keep their files outside the home: as root they work for an unprivileged user, who may not look into it. Whoever plays with
# the demo finds the mailboxes again; a demo that is only looked at once leaves nothing behind.
end_mail_folder() { [ "$(cat "$home/run/is-demo" 2>/dev/null || true)" != once ] || clear_mail_folder; }

clear_mail_folder() {
  local folder
  folder=$(cat "$home/run/mail-folder" 2>/dev/null || true)
  case ${folder##*/} in postroom-demo-mail-?*) rm -rf "$folder" ;; esac
}

# Waits until the front door says that the whole line is up; says who is in the way when it is not.
await_ready() {
  local until=$((SECONDS + 90))
  while ! curl -fs -m 2 -o /dev/null "$api/readyz" 9>&-; do
    if [ $SECONDS -ge $until ] || ! kill -0 "$supervisor" 2>/dev/null; then
      echo "scripts/run: not ready; the front door says: $(curl -s -m 2 "$api/readyz" || echo nothing)" >&2
      local name
      for name in "$home"/log/*/current; do
        [ ! -s "$name" ] || { echo "--- $name" && tail -n 5 "$name"; } >&2
      done
      return 1
    fi
    sleep 0.2
  done
  # The front door is up to promise; a command that waits for its answer also wants the ledger and the workers. Only then is it nice to try.
  local _ health
  for _ in $(seq 75); do
    health=$(curl -s -m 2 "$api/healthz" || true)
    ! is_everybody_well "$health" || return 0
    sleep 0.2
  done
  echo "scripts/run: not everybody is well yet: $health" >&2
}

# is_everybody_well HEALTH: the front door's report says ok, and there is at least one process of each kind in it.
is_everybody_well() {
  local kind
  case $1 in '{"status":"ok"'*) ;; *) return 1 ;; esac
  for kind in ledger $worker_kinds; do
    case $1 in *"\"process\":\"$kind-"*) ;; *) return 1 ;; esac
  done
}

# One sentence to start with, and the three commands of a first ticket.
say_where() {
  echo
  echo "Postroom is ready after $SECONDS s: $api   (/healthz /readyz /metrics /openapi.json)"
  if [ "$is_first_start" = yes ]; then
    echo "  administrator's token  $admin_token"
    echo "                         kept in $home/secrets/admin-token"
  else
    echo "  found its data         $(curl -s -m 5 -H "Authorization: Bearer $admin_token" "$api/v1/balance" || true)"
    echo "  administrator's token  in $home/secrets/admin-token"
  fi
  echo "  broker                 127.0.0.1:$(value broker.port), management http://127.0.0.1:$(value broker.management_port) (user operator, password in $home/secrets/broker-operator)"
  echo "  logs                   scripts/run logs ledger --home $home"
  echo "  scale                  scripts/run scale jira=3 --home $home"
  echo "  stop                   Ctrl-C"
  [ "$(id -u)" != 0 ] || echo "  runs as root           POSTROOM_ALLOW_ROOT=1 was set; in production use an ordinary user"
  [ "$mode" = production ] || return 0
  cat <<TRY

A first ticket:
  token=\$(cat $home/secrets/admin-token)
  curl -sS $api/v1/boards -H "Authorization: Bearer \$token" -H 'Content-Type: application/json' \\
       -d '{"name": "Desk", "is_public": true, "target": {"kind": "desk"}}'
  curl -sS $api/v1/boards/BOARD_ID/tickets -H 'Content-Type: application/json' -d '{"title": "The printer is on fire"}'
  curl -sS $api/v1/tickets/TICKET_ID -H "Authorization: Bearer \$token"
TRY
}

# The end of a set, once: in order, and nobody left behind.
end_set() {
  trap '' INT TERM HUP
  local status=$1
  [ -z "${story_teller:-}" ] || kill "$story_teller" 2>/dev/null || true
  if [ -n "${supervisor:-}" ]; then
    echo "stopping: workers, then api and ledger, then the broker"
    stop_set
    wait "$supervisor" 2>/dev/null || true
  fi
  rm -f "$home/run/set.pid"
  end_mail_folder
  exec 9>&-
  if ! (exec 8>>"$home/run/set.lock" && flock -w 5 8); then
    echo "scripts/run: left behind and killed: $(holders_of_lock)" >&2
    # shellcheck disable=SC2046
    kill -KILL $(holders_of_lock) 2>/dev/null || true
    [ "$status" != 0 ] || status=1
  fi
  [ -z "${supervisor:-}" ] || echo "stopped"
  exit "$status"
}

holders_of_lock() {
  local link
  for link in /proc/[0-9]*/fd/*; do
    [ "$(readlink "$link" 2>/dev/null)" != "$home/run/set.lock" ] || { link=${link#/proc/} && echo "${link%%/*}"; }
  done | sort -u | tr '\n' ' '
}

start_and_stay() {
  take_lock
  trap 'end_set 130' INT
  trap 'end_set 143' TERM HUP
  if [ "$(id -u)" = 0 ]; then export POSTROOM_ALLOW_ROOT=1; fi
  if [ "$mode" = demo ]; then open_demo_home; fi
  install_and_build
  prepare_home
  start_set
  await_ready || end_set 1
  say_where
  if [ "$mode" = demo ]; then
    if [ "$is_anew" = yes ]; then
      local verdict=0
      python3 -B tests/e2e/demo/demo.py --home "$home" --break "$broken" 9>&- &
      story_teller=$!
      wait "$story_teller" || verdict=$?
      story_teller=
      [ "$is_once" = no ] || end_set "$verdict"
    else
      echo "  its stories            were told before; --anew forgets everything and tells them again"
    fi
    python3 -B tests/e2e/demo/play.py --home "$home" 9>&-
    echo "the set stays up; Ctrl-C stops it"
  fi
  wait "$supervisor" || true
  echo "scripts/run: the supervisor ended by itself" >&2
  end_set 1
}

# The demo's stories begin with nothing; a demo that has told them goes on. Only ever the demo's own home: it carries a mark.
open_demo_home() {
  local other
  other=$(find "$home" -mindepth 1 -maxdepth 1 ! -name run | head -n 1)
  if [ -n "$other" ] && [ ! -e "$home/run/is-demo" ]; then die "$home is not a demo's home; give another --home"; fi
  if [ "$is_once" = yes ] || [ "$broken" != none ] || [ ! -e "$home/data/demo-told" ]; then is_anew=yes; fi
  if [ "$is_anew" = yes ]; then
    clear_mail_folder
    find "$home" -mindepth 1 -maxdepth 1 ! -name run -exec rm -rf {} +
    find "$home/run" -mindepth 1 -maxdepth 1 ! -name set.lock -exec rm -rf {} +
  fi
  if [ "$is_once" = yes ]; then echo once; else echo stays; fi >"$home/run/is-demo"
}

show_logs() {
  local files=()
  local name
  for name in "$home/log/$1" "$home/log/$1"-[0-9]*; do
    [ ! -e "$name/current" ] || files+=("$name/current")
  done
  [ ${#files[@]} -gt 0 ] || die "no log of $1 in $home/log"
  exec tail -n 50 -F "${files[@]}"
}

show_status() {
  local folder
  for folder in "$scan"/[a-z]*; do
    printf '%-18s %s\n' "${folder##*/}" "$(s6-svstat "$folder")"
  done
}

# Also for a set whose scripts/run was killed.
stop_from_outside() {
  local owner
  owner=$(cat "$home/run/set.pid" 2>/dev/null || true)
  is_supervised || die "nothing runs in $home"
  if [ -n "$owner" ] && kill -0 "$owner" 2>/dev/null; then
    kill -TERM "$owner"
    (exec 8>>"$home/run/set.lock" && flock -w 60 8) || die "it does not stop; see $home/log"
  else
    stop_set
    end_mail_folder
    rm -f "$home/run/set.pid"
  fi
  echo "stopped"
}
