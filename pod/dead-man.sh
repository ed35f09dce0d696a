#!/usr/bin/env bash
# The dead-man's switch: ends its own pod, with the pod-scoped key that RunPod injects, when
#   - nobody has used the gate for DEVLOOP_IDLE_SECONDS + DEVLOOP_GRACE_SECONDS, once the pod was declared ready;
#   - the pod was not declared ready by DEVLOOP_READY_BY;
#   - DEVLOOP_HARD_DEADLINE has come.
# It shares nothing with whoever rented the pod: these numbers are all that it knows, RunPod's API is all that it needs.
#
# A use is an authenticated request, in flight (Caddy's admin endpoint) or finished (use.log has changed). Nothing else
# moves the clock: no restart of this script, of the container or of the model server. Ages are measured on the machine's
# uptime; what time it is comes from the API's Date header, the pod's own clock counts only until that is known.
#
# State, beside the entrypoint's: last-use (boot id, uptime and use.log's mark of the last use),
# clock (boot id, epoch seconds at uptime 0), status.json (rewritten at every look, from `about`).
set -uo pipefail
export LC_ALL=C

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=pod/fetch.sh
. "$HERE/fetch.sh"

WORKSPACE=${EMULATOR_DIR:-}/workspace
STATE=$WORKSPACE/.devloop/${RUNPOD_POD_ID:-pod}
API=${RUNPOD_API_URL:-https://api.runpod.io/v2}
CALL_SECONDS=15
# Between calls that RunPod does not take: the quota is the whole account's.
PATIENCE=15

# write_switch <state> <problem>: the dead-man's part of what GET /devloop/status answers.
write_switch() {
  printf '%s,"deadman":{"state":"%s","problem":"%s","ready":%s,"idleSeconds":%d,"inFlight":%d,"endsAt":%d,"seenAt":%d}}\n' \
    "$(cat "$STATE/about")" "$1" "$2" "$ready" "$idle" "$in_flight" "$ends_at" "$now" \
    >"$STATE/status.json.deadman" && mv -f "$STATE/status.json.deadman" "$STATE/status.json"
}

unarmed() {
  echo "NOT ARMED: $1"
  write_switch unarmed "$1"
  exit 78
}

# call <method> <url> [<json>]. The key stays off the command line, where every process may read it.
call() {
  local body=()
  [[ -z ${3:-} ]] || body=(-H 'Content-Type: application/json' --data "$3")
  curl -sS -i -X "$1" -A devloop-dead-man/1 --max-time "$CALL_SECONDS" --config - ${body[@]+"${body[@]}"} "$2" \
    <<<"header = \"Authorization: Bearer ${RUNPOD_API_KEY:-}\"" 2>&1
}

status_of() { grep -aE '^HTTP/[0-9.]+ [0-9]' | tail -n 1 | cut -d' ' -f2 | tr -dc 0-9; }

# Seconds that no change of the clock moves; also over a restart of the container, within one boot of its machine.
BOOT=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo none)
uptime_seconds() {
  local up
  if read -r up _ 2>/dev/null </proc/uptime; then
    printf '%s' "${up%%.*}"
  else
    date +%s
  fi
}

epoch_of() { date -u -d "$1" +%s 2>/dev/null || date -u -j -f '%a, %d %b %Y %H:%M:%S GMT' "$1" +%s 2>/dev/null; }

# The API's clock, once for each boot of the machine. Without a key the answer is a refusal: it has a date too, and costs
# nothing of the account's quota.
set_clock() {
  local boot zero date
  if read -r boot zero 2>/dev/null <"$STATE/clock" && [[ $boot == "$BOOT" && $zero =~ ^-?[0-9]+$ ]]; then
    epoch_at_zero=$zero clock_known=yes
    return
  fi
  date=$(RUNPOD_API_KEY='' call GET "$API/pods" | grep -aiE '^date:' | tail -n 1 | cut -d: -f2- | tr -d '\r')
  date=$(epoch_of "${date# }")
  [[ $date =~ ^[0-9]+$ ]] || return
  epoch_at_zero=$((date - $(uptime_seconds))) clock_known=yes
  printf '%s %s\n' "$BOOT" "$epoch_at_zero" >"$STATE/clock.new" && mv -f "$STATE/clock.new" "$STATE/clock"
  echo "the API's clock says $date, this pod's $(date +%s)"
}

# Changes with every finished use, whatever the clock does. An empty log is a new one: nobody has used the pod yet.
use_mark() {
  [[ -s $STATE/use.log ]] || { printf none; return; }
  stat -c %Y-%s "$STATE/use.log" 2>/dev/null || stat -f %m-%z "$STATE/use.log"
}

# Each request is counted twice: at its server's address, and at the address as the Caddyfile spells it.
count_in_flight() {
  local admin
  admin=$(cat "$STATE/gate-admin" 2>/dev/null)
  curl -s --max-time 2 -H "Origin: http://$admin" "http://$admin/reverse_proxy/upstreams" |
    grep -oE '"127[0-9.:]+", *"num_requests": *[0-9]+' | awk -F: '{sum += $NF} END {printf "%d", sum}'
}

remember_use() {
  last_use=$1 seen_mark=$2
  printf '%s %s %s\n' "$BOOT" "$last_use" "$seen_mark" >"$STATE/last-use.new" && mv -f "$STATE/last-use.new" "$STATE/last-use"
}

# After a start: what was noted before, or the log's own time where it has changed since.
recall_use() {
  local boot use mark changed age
  mark=$(use_mark)
  if read -r boot use seen_mark 2>/dev/null <"$STATE/last-use" && [[ $boot == "$BOOT" && $use =~ ^-?[0-9]+$ ]]; then
    last_use=$use
    [[ $mark != "$seen_mark" ]] || return
  fi
  [[ $mark != none ]] || return
  changed=${mark%-*}
  age=$(($(date +%s) - changed))
  ((age >= 0)) || age=0
  use=$(($(uptime_seconds) - age))
  ((use > ${last_use:-use - 1})) || use=$last_use
  remember_use "$use" "$mark"
}

look() {
  local mark up
  in_flight=$(count_in_flight)
  mark=$(use_mark) up=$(uptime_seconds)
  ready=false
  [[ ! -s $STATE/ready.log ]] || ready=true
  if ((in_flight > 0)) || [[ $mark != "$seen_mark" ]] || [[ $ready == true && $last_use == "$UNUSED" ]]; then
    remember_use "$up" "$mark"
  fi
  idle=$((last_use == UNUSED ? 0 : up - last_use))
  now=$((epoch_at_zero + up))
  ends_at=$DEVLOOP_READY_BY
  if [[ $ready == true ]]; then ends_at=$((now - idle + DEVLOOP_IDLE_SECONDS + DEVLOOP_GRACE_SECONDS)); fi
  ((ends_at < DEVLOOP_HARD_DEADLINE)) || ends_at=$DEVLOOP_HARD_DEADLINE
}

is_due() { ((now >= ends_at)); }

reason() {
  if ((now >= DEVLOOP_HARD_DEADLINE)); then
    echo "its hard deadline has come"
  elif [[ $ready == false ]]; then
    echo "it was not declared ready in time"
  else
    echo "nobody has used it for $idle s"
  fi
}

# An accepted call is no end: this goes on until the pod is no more. What was accepted in vain is soon not tried alone.
end_pod() {
  local code
  echo "ending this pod: $(reason)"
  code=$(call POST "$API/pods/$RUNPOD_POD_ID/action" '{"action":"terminate"}' | status_of)
  echo "terminate: ${code:-no answer}"
  [[ $code == 2* ]] && ((tries < 2)) && return
  code=$(call DELETE "$API/pods/$RUNPOD_POD_ID" | status_of)
  echo "DELETE: ${code:-no answer}"
  [[ $code == 2* ]] && ((tries < 2)) && return
  if command -v runpodctl >/dev/null; then
    echo "runpodctl: $(timeout "$CALL_SECONDS" runpodctl remove pod "$RUNPOD_POD_ID" 2>&1 | head -n 1 | tr -cd '[:print:]')"
  fi
}

# Seconds until the next look.
pause() {
  local tick=$((DEVLOOP_IDLE_SECONDS / 4))
  ((tick <= 5)) || tick=5
  ((tick >= 1)) || tick=1
  echo "$((tries < 4 ? tick : PATIENCE))"
}

UNUSED=-1000000000000
last_use=$UNUSED
tries=0 ready=false idle=0 in_flight=0 ends_at=0 now=0 clock_known=no seen_mark=none
# Whoever sources this wants its decisions alone.
[[ ${BASH_SOURCE[0]} == "$0" ]] || return 0

for name in DEVLOOP_READY_BY DEVLOOP_IDLE_SECONDS DEVLOOP_GRACE_SECONDS DEVLOOP_HARD_DEADLINE; do
  [[ ${!name:-} =~ ^(0|[1-9][0-9]{0,11})$ ]] || unarmed "$name is not a number of seconds"
done
[[ ${RUNPOD_POD_ID:-} =~ ^[A-Za-z0-9_-]+$ ]] || unarmed 'RUNPOD_POD_ID is missing'
[[ -n ${RUNPOD_API_KEY:-} ]] || unarmed 'RUNPOD_API_KEY, the key of this pod, is missing'
command -v curl >/dev/null || fetch_curl || unarmed 'curl is not on PATH and cannot be installed'

epoch_at_zero=$(($(date +%s) - $(uptime_seconds)))
recall_use
echo "armed: ends this pod after $((DEVLOOP_IDLE_SECONDS + DEVLOOP_GRACE_SECONDS)) s without use"
while :; do
  [[ $clock_known == yes ]] || set_clock
  look
  write_switch armed ''
  if is_due; then
    end_pod
    ((tries += 1))
  else
    tries=0
  fi
  sleep "$(pause)"
done
