#!/usr/bin/env bash
# Sourced by scripts/demo.sh: steps with a progress display, processes that end with the demo, free ports.
# The demo sets $work (its temporary directory) before it calls anything here.
# shellcheck disable=SC2154,SC2034

bold='' dim='' green='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi

declare -A process_of=() # name -> process id
order=()                 # names in the order of their start
ticker=
steps=0

# Says what went wrong and ends the demo.
fail() { # message
  printf '%sdemo: %s%s\n' "$red" "$1" "$plain" >&2
  exit 1
}

current='' current_log='' # the step that runs

# Runs a command as one step: its name and the passing seconds while it runs, its time when it is done. What the command
# says goes to a log; when the command fails the demo ends, and its EXIT trap shows the end of that log.
step() { # name, command...
  local began
  current=$1
  current_log="$work/logs/step-$((++steps)).log"
  shift
  began=$(now_ms)
  tick "$current"
  "$@" >"$current_log" 2>&1
  quiet
  printf '%s✓%s %s %s%s%s\n' "$green" "$plain" "$current" "$dim" "$(seconds $(($(now_ms) - began)))" "$plain"
  current=
}

now_ms() { date +%s%3N; }
seconds() { printf '%d.%01d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# A line that counts seconds, on a terminal only.
tick() { # name
  [ -t 1 ] || return 0
  (
    trap 'exit 0' TERM
    passed=0
    while :; do
      printf '\r\e[K%s… %s %d s%s' "$dim" "$1" "$passed" "$plain"
      sleep 1
      passed=$((passed + 1))
    done
  ) &
  ticker=$!
}

quiet() {
  [ -n "$ticker" ] || return 0
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  ticker=
  printf '\r\e[K'
}

# Starts a process that lives as long as the demo: it is ended by stop_all, and by the kernel should the demo be killed.
# It runs in the temporary directory, so that no .env of the checkout is read.
start() { # name, command...
  local name=$1 tied=()
  shift
  if command -v setpriv >/dev/null; then tied=(setpriv --pdeathsig TERM --); fi
  "${tied[@]}" env -C "$work" "$@" >"$work/logs/$name.log" 2>&1 </dev/null 3>&- 4>&- &
  process_of[$name]=$!
  order+=("$name")
}

alive() { kill -0 "${process_of[$1]}" 2>/dev/null; }

# Waits until a command succeeds; ends the demo when the process behind it is gone, or after five minutes.
await() { # name of the process, what is awaited, command...
  local name=$1 what=$2 deadline=$((SECONDS + 300))
  shift 2
  until "$@" >/dev/null 2>&1; do
    alive "$name" || died "$name" "$what"
    [ "$SECONDS" -lt "$deadline" ] || { echo "$what: not within five minutes; the end of $name.log:"; tail -n 20 "$work/logs/$name.log"; return 1; }
    sleep 0.1
  done
}

died() { # name of the process, what was awaited
  echo "$1 ended ($2 was awaited); the end of its log:"
  tail -n 20 "$work/logs/$1.log"
  return 1
}

answers() { curl --fail --silent --noproxy '*' --max-time 5 --output /dev/null "$1"; }

# Ends what was started, newest first, and waits for it; kills what does not end within ten seconds.
stop_all() {
  local index name pid deadline=$((SECONDS + 10))
  for ((index = ${#order[@]} - 1; index >= 0; index--)); do
    kill -TERM "${process_of[${order[index]}]}" 2>/dev/null || true
  done
  for name in "${order[@]}"; do
    pid=${process_of[$name]}
    while kill -0 "$pid" 2>/dev/null; do
      if [ "$SECONDS" -ge "$deadline" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
      sleep 0.1
    done
    wait "$pid" 2>/dev/null || true
  done
}

# The wished ports, each replaced by a free one where it is taken; one line, in the order of the wishes.
free_ports() { # port...
  python3 - "$@" <<'PY'
import socket, sys

held = []
for wish in map(int, sys.argv[1:]):
    for port in (wish, 0):
        listener = socket.socket()
        try:
            listener.bind(("0.0.0.0", port))
        except OSError:
            listener.close()
            continue
        held.append(listener)
        break
print(*(listener.getsockname()[1] for listener in held))
PY
}

# The most memory that the demo's processes can have held at once, in MiB: the sum of what each held at most.
peak_mib() {
  local name files=()
  for name in "${order[@]}"; do files+=("/proc/${process_of[$name]}/status"); done
  awk '$1 == "VmHWM:" { sum += $2 } END { printf "%d", sum / 1024 }' "${files[@]}"
}
