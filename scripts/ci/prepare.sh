#!/usr/bin/env bash
# prepare.sh: checks what was given, says whether there is anything to do and under which name. Needs no Node.
# Outputs: active (true, false), session (one or more names), node (present, missing).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

EMULATOR=${EMULATOR:-false} TEMPORAL=${TEMPORAL:-embedded} RUNPOD_API_KEY=${RUNPOD_API_KEY:-}
if [[ -n $RUNPOD_API_KEY ]]; then echo "::add-mask::$RUNPOD_API_KEY"; fi

session=${SESSION:-ci-$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT}
[[ $session =~ ^[a-z0-9-]{1,40}(\ +[a-z0-9-]{1,40})*$ ]] || refuse "session \"$session\": must be 1 to 40 characters of a-z, 0-9 and -."
[[ $EMULATOR =~ ^(true|false)$ ]] || refuse "emulator \"$EMULATOR\": write true or false."
address=${TEMPORAL_ADDRESS:-${TEMPORAL_PROFILE:-}}
case $TEMPORAL in
  embedded) [[ -z $address ]] || refuse 'temporal is embedded, but TEMPORAL_ADDRESS or TEMPORAL_PROFILE is set. Say temporal: external, or unset them.' ;;
  external) [[ -n $address ]] || refuse 'temporal is external: set TEMPORAL_ADDRESS or TEMPORAL_PROFILE in the environment of the job.' ;;
  *) refuse "temporal \"$TEMPORAL\": write embedded or external." ;;
esac

node_is_recent() {
  node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'
}
node=missing
if node_is_recent 2>/dev/null; then node=present; fi

active=true
if [[ -z $RUNPOD_API_KEY && $EMULATOR == false && $TEMPORAL == embedded ]]; then
  [[ ${WITHOUT_SECRETS:-false} == true ]] || refuse 'there is no RunPod key: add the secret RUNPOD_API_KEY to the repository and pass it on as runpod-api-key (or say emulator: true).'
  active=false
  why='Nothing was rented and nothing was tested. This run has no RunPod key: GitHub gives no secrets to pull requests from forks, to Dependabot and to forks that have none of their own.'
  annotate notice "Skipped. $why"
  printf '### Devloop: skipped\n\n%s\n' "$why" >>"$GITHUB_STEP_SUMMARY"
fi

printf '%s\n' "active=$active" "session=$session" "node=$node" >>"$GITHUB_OUTPUT"
