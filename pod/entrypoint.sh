#!/usr/bin/env bash
# What runs on the GPU machine: the model server on loopback, the gate in front of it, the dead-man's switch.
# It is the first process of the pod and never ends by itself: whatever ends is started again, for ever.
#
# A stock image has no scripts: bootstrap-args.txt is what RunPod is told to run there. It unpacks the environment value
# DEVLOOP_POD_SCRIPTS (base64 of a tar.gz of this folder's scripts), as often as the container starts.
# In the emulator many pods share one machine: EMULATOR_DIR is the pod's disk, EMULATOR_PORT_<n> stands for port n.
#
# State, in <workspace>/.devloop/<pod id>, which survives a restart of the container where /workspace is a volume:
#   status.json  what GET /devloop/status answers      use.log    one line for each finished use, changed at the last one
#   about        its part that never changes            last-use, clock   the dead-man's switch's, see there
#   ready.log    not empty: the pod was declared ready  gate-admin, model-port   where Caddy's admin endpoint and the
#                                                       model server listen at the moment
set -uo pipefail
export TZ=UTC

: "${DEVLOOP_API:=ollama}" "${DEVLOOP_MODEL:=}" "${DEVLOOP_MODEL_FILE:=}" "${DEVLOOP_MAX_PARALLEL:=2}"
CONTEXT_TOKENS=8192
# Pods of the emulator share one machine's processors: with more threads than free ones llama.cpp crawls. Its small model
# does not always find an end, and at chance's mercy not always a beginning: temperature 0 repeats itself.
SHARED_THREADS=1
SHARED_TOKENS=128

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=pod/fetch.sh
. "$HERE/fetch.sh"
WORKSPACE=${EMULATOR_DIR:-}/workspace
STATE=$WORKSPACE/.devloop/${RUNPOD_POD_ID:-pod}
PATH=$PATH:$HERE/bin
# Some 10 KB that no child needs.
unset DEVLOOP_POD_SCRIPTS

# The bash of macOS knows no printf '%()T'.
now() { date +%Y-%m-%dT%H:%M:%SZ; }
if ((BASH_VERSINFO[0] > 4)); then now() { printf '%(%Y-%m-%dT%H:%M:%SZ)T' -1; }; fi

log() { printf '%s %-7s | %s\n' "$(now)" "$1" "$2"; }

label() {
  trap '' INT TERM
  local line
  while IFS= read -r line || [[ -n $line ]]; do log "$1" "$line"; done
}

json_string() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# Below 32768, where systems do not pick ports for outgoing connections.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  printf '%s' "$port"
}

gpu_count() {
  if [[ -n ${EMULATOR_DIR:-} ]]; then
    printf '%s' "${RUNPOD_GPU_COUNT:-0}"
  else
    nvidia-smi -L 2>/dev/null | grep -c '^GPU '
  fi
}

write_status() {
  printf '{"podId":%s,"podName":%s,"api":%s,"model":%s,"modelFile":%s,"gpuCount":%d,"gpuVisible":%s,"maxParallel":%d,"startedAt":"%s"' \
    "$(json_string "${RUNPOD_POD_ID:-}")" "$(json_string "${DEVLOOP_POD_NAME:-}")" "$(json_string "$DEVLOOP_API")" \
    "$(json_string "$DEVLOOP_MODEL")" "$([[ -n $DEVLOOP_MODEL_FILE ]] && echo true || echo false)" \
    "$(gpu_count)" "$(nvidia-smi -L >/dev/null 2>&1 && echo true || echo false)" "$DEVLOOP_MAX_PARALLEL" "$(now)" >"$STATE/about"
  printf '%s,"deadman":{"state":"%s"}}\n' "$(cat "$STATE/about")" "$([[ -f $HERE/dead-man.sh ]] && echo starting || echo absent)" >"$STATE/status.json.new"
  mv -f "$STATE/status.json.new" "$STATE/status.json"
}

# A child is known by a mark in its environment. Its process id is not enough: a model server that was killed leaves
# processes of its own behind, and they hold the GPU's memory.
marked() {
  local name
  for name in "$@"; do grep -lszxF "DEVLOOP_CHILD=$STATE/$name" /proc/[0-9]*/environ; done | cut -d/ -f3
}

kill_marked() {
  local pid
  for pid in $(marked "$@"); do kill -KILL "$pid" 2>/dev/null; done
}

# supervise <name> <command...>: runs it for ever, its output in the pod's log.
supervise() {
  local name=$1 child='' labeller pause=1 began code
  shift
  exec > >(label "$name") 2>&1
  labeller=$!
  # Nothing is left to be reaped by whoever is the machine's first process.
  trap 'kill -TERM "$child" 2>/dev/null; wait "$child"; exec >&- 2>&-; wait "$labeller"; exit 0' TERM
  kill_marked "$name"
  while :; do
    began=$SECONDS
    DEVLOOP_CHILD=$STATE/$name "$@" &
    child=$!
    wait "$child"
    code=$?
    kill_marked "$name"
    ((SECONDS - began < 60)) || pause=1
    echo "ended with code $code, starts again in $pause s"
    sleep "$pause" &
    child=$!
    wait "$child"
    pause=$((pause < 16 ? pause * 2 : 30))
  done
}

run_gate() {
  local declared=11434 port_name
  [[ $DEVLOOP_API == openai ]] && declared=8000
  export DEVLOOP_GATE_HOST=0.0.0.0 DEVLOOP_GATE_PORT=$declared
  if [[ -n ${EMULATOR_DIR:-} ]]; then
    port_name=EMULATOR_PORT_$declared
    DEVLOOP_GATE_HOST=127.0.0.1
    DEVLOOP_GATE_PORT=${!port_name:-}
    [[ -n $DEVLOOP_GATE_PORT ]] || { echo "$port_name is not set: does the pod declare port $declared/http?"; return 78; }
  fi
  # Compared with an empty token, an empty one would be right.
  [[ ${DEVLOOP_GATE_TOKEN:-} =~ ^[A-Za-z0-9_-]{16,}$ ]] || { echo 'DEVLOOP_GATE_TOKEN is missing or malformed: the gate stays shut'; return 78; }
  command -v caddy >/dev/null || fetch_caddy || return
  DEVLOOP_GATE_ADMIN=127.0.0.1:$(free_port)
  printf '%s' "$DEVLOOP_GATE_ADMIN" >"$STATE/gate-admin"
  export DEVLOOP_GATE_ADMIN XDG_DATA_HOME=$STATE/caddy XDG_CONFIG_HOME=$STATE/caddy
  unset RUNPOD_API_KEY
  cd "$STATE" && exec caddy run --config "$HERE/Caddyfile" --adapter caddyfile
}

run_model() {
  local port
  port=$(free_port)
  printf '%s' "$port" >"$STATE/model-port"
  unset RUNPOD_API_KEY DEVLOOP_GATE_TOKEN
  case $DEVLOOP_API in
    ollama)
      command -v ollama >/dev/null || fetch_ollama || return
      export OLLAMA_HOST=127.0.0.1:$port OLLAMA_MODELS=$WORKSPACE/ollama/models OLLAMA_KEEP_ALIVE=-1 \
        OLLAMA_NUM_PARALLEL=$DEVLOOP_MAX_PARALLEL OLLAMA_CONTEXT_LENGTH=$CONTEXT_TOKENS OLLAMA_MAX_LOADED_MODELS=1
      exec ollama serve
      ;;
    openai)
      if [[ -n $DEVLOOP_MODEL_FILE ]]; then
        [[ -z ${EMULATOR_DIR:-} ]] || set -- -t "$SHARED_THREADS" -n "$SHARED_TOKENS" --temp 0
        exec llama-server "$@" -m "$DEVLOOP_MODEL_FILE" --host 127.0.0.1 --port "$port" --alias "$DEVLOOP_MODEL" \
          -np "$DEVLOOP_MAX_PARALLEL" -c "$((CONTEXT_TOKENS * DEVLOOP_MAX_PARALLEL))"
      elif command -v vllm >/dev/null; then
        export HF_HOME=$WORKSPACE/huggingface
        exec vllm serve "$DEVLOOP_MODEL" --host 127.0.0.1 --port "$port"
      fi
      echo 'DEVLOOP_API=openai needs vllm in the image, or DEVLOOP_MODEL_FILE and llama-server on PATH'
      return 78
      ;;
    *)
      echo "DEVLOOP_API is '$DEVLOOP_API', it must be ollama or openai"
      return 78
      ;;
  esac
}

# Ollama takes the chat template from the file's own metadata.
create_model() {
  local output
  export DEVLOOP_CHILD=$STATE/create
  unset RUNPOD_API_KEY DEVLOOP_GATE_TOKEN
  {
    printf 'FROM %s\n' "$DEVLOOP_MODEL_FILE"
    [[ -z ${EMULATOR_DIR:-} ]] ||
      printf 'PARAMETER %s\n' "num_thread $SHARED_THREADS" "num_predict $SHARED_TOKENS" 'temperature 0'
  } >"$STATE/Modelfile"
  ask() { OLLAMA_HOST=127.0.0.1:$(cat "$STATE/model-port" 2>/dev/null) ollama "$@" 2>&1; }
  until ask list >/dev/null && output=$(ask create "$DEVLOOP_MODEL" -f "$STATE/Modelfile"); do
    [[ -z ${output:-} ]] || log create "$(tr -cd '[:print:]' <<<"$output")"
    sleep 0.3
  done
  log create "$DEVLOOP_MODEL is made from $DEVLOOP_MODEL_FILE"
}

run_deadman() {
  unset DEVLOOP_GATE_TOKEN
  exec bash "$HERE/dead-man.sh"
}

# What is supervised: whoever kills a supervisor gets another one within seconds.
names=() commands=() supervisors=()
keep() { names+=("$1") commands+=("$2") supervisors+=(0); }

keep_all() {
  local at
  for at in "${!names[@]}"; do
    if ((supervisors[at])); then
      kill -0 "${supervisors[at]}" 2>/dev/null && continue
      log pod "the supervisor of ${names[at]} is gone: starting another one"
    fi
    supervise "${names[at]}" "${commands[at]}" &
    supervisors[at]=$!
  done
}

stop() {
  trap '' INT TERM
  local children tries
  # shellcheck disable=SC2207 # Numbers: splitting at white space is right, and the bash of macOS has no mapfile.
  children=($(jobs -p))
  log pod 'stopping'
  kill -TERM "${children[@]}" 2>/dev/null
  for ((tries = 0; tries < 50; tries++)); do
    kill -0 "${children[@]}" 2>/dev/null || break
    sleep 0.1
  done
  # A signal that reaches a shell while it forks may be lost.
  kill -KILL "${children[@]}" 2>/dev/null
  kill_marked model gate create deadman
  wait
  log pod 'stopped'
  exit 0
}
trap stop INT TERM

mkdir -p "$STATE"
log pod "${RUNPOD_POD_ID:-?} serves ${DEVLOOP_MODEL:-no model} by $DEVLOOP_API, state in $STATE"
write_status
[[ ! -f $HERE/dead-man.sh ]] || keep deadman run_deadman
keep model run_model
keep gate run_gate
[[ $DEVLOOP_API != ollama || -z $DEVLOOP_MODEL_FILE ]] || create_model &
while :; do
  keep_all
  sleep 5 &
  wait "$!"
done
