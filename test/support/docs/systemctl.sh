#!/bin/sh
# systemctl and journalctl, as far as docs/appliance.md uses them, for a namespace without systemd:
# runs what the units say as their user with their capabilities, makes their state directory, waits
# for READY=1 as Type=notify does, and ends by SIGTERM. Hardening is left to systemd.
# $UNITS: where the units are; $SERVICES: a directory for what is remembered.
set -eu

value() { # unit key: its values, a line each
  sed -n "s/^$2=//p" "$UNITS/$1.service"
}

running() {
  [ -e "$SERVICES/$1.pid" ] && kill -0 "$(cat "$SERVICES/$1.pid")" 2>/dev/null
}

within() { # seconds command: until it succeeds
  left=$(($1 * 20))
  shift
  until "$@"; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    sleep 0.05
  done
}

# As the unit's user, with its capabilities; a line that begins with + as root.
run_as_unit() { # unit command
  unit=$1
  command=${2#-}
  case $command in
  +*) exec sh -c "exec ${command#+}" ;;
  esac
  capabilities=$(value "$unit" AmbientCapabilities | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
  umask "$(value "$unit" UMask)"
  ulimit -n "$(value "$unit" LimitNOFILE)" 2>/dev/null || true
  exec setpriv --reuid "$(value "$unit" User)" --regid "$(value "$unit" Group)" --clear-groups \
    --inh-caps "-all,$capabilities" --ambient-caps "-all,$capabilities" \
    --bounding-set "-all,$capabilities" --no-new-privs sh -c "exec $command"
}

start() {
  if running "$1"; then return 0; fi
  install -d -o "$(value "$1" User)" -g "$(value "$1" Group)" \
    -m "$(value "$1" StateDirectoryMode)" "/var/lib/$(value "$1" StateDirectory)"
  value "$1" ExecStartPre | while read -r each; do (run_as_unit "$1" "$each"); done
  notify=$SERVICES/$1.notify
  rm -f "$notify"
  socat -u "UNIX-RECV:$notify,mode=0666" "OPEN:$SERVICES/$1.said,creat,trunc" &
  listener=$!
  within 5 test -S "$notify"
  (
    export NOTIFY_SOCKET="$notify"
    run_as_unit "$1" "$(value "$1" ExecStart)"
  ) >>"$SERVICES/$1.log" 2>&1 </dev/null &
  echo $! >"$SERVICES/$1.pid"
  within 600 is_ready_or_gone "$1" || true
  kill $listener
  is_ready "$1" || {
    echo "Job for $1.service failed: $(tail -n 3 "$SERVICES/$1.log")" >&2
    return 1
  }
}

is_ready() {
  grep -qs READY=1 "$SERVICES/$1.said"
}

is_ready_or_gone() {
  is_ready "$1" || ! running "$1"
}

is_gone() {
  ! running "$1"
}

stop() {
  if ! running "$1"; then return 0; fi
  kill "$(cat "$SERVICES/$1.pid")"
  within 60 is_gone "$1"
  value "$1" ExecStopPost | while read -r each; do (run_as_unit "$1" "$each") || true; done
}

if [ "$(basename "$0")" = journalctl ]; then
  unit=$(echo "$*" | sed -n 's/.*-u \([a-z-]*\).*/\1/p')
  cat "$SERVICES/$unit.log"
  exit 0
fi

one() { # verb unit
  case $1 in
  enable | start) start "$2" ;;
  disable | stop) stop "$2" ;;
  restart) stop "$2" && start "$2" ;;
  reload) kill -HUP "$(cat "$SERVICES/$2.pid")" ;;
  is-active) if running "$2"; then echo active; else echo inactive; fi ;;
  *) echo "systemctl.sh does not know $1" >&2 && return 1 ;;
  esac
}

verb=$1
shift
[ "$verb" != daemon-reload ] || exit 0
jobs=
for unit in "$@"; do
  case $unit in -*) continue ;; esac
  one "$verb" "${unit%.service}" &
  jobs="$jobs $!"
done
for job in $jobs; do wait "$job"; done
