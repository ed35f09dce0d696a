#!/usr/bin/env bash
# reap.sh: ends every pod of the sessions by RunPod's list and the key alone, and sees them gone.
# Fails when one could not be ended, or when the list could not be read. Outputs: pod-id, cost-usd, when there was a pod.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Seconds between looks at a list that cannot be read (exit code 3). An end that RunPod refuses has been asked for long enough.
pauses=(5 10 20 '')

failed=0
read -ra names <<<"$SESSION"
for name in "${names[@]}"; do
  document=$state/$name.reaped.json
  for pause in "${pauses[@]}"; do
    code=0
    devloop reap --session "$name" --json >"$document" || code=$?
    if ((code != 3)) || [[ -z $pause ]]; then break; fi
    sleep "$pause"
  done
  report reaped "$document" || code=1
  if ((code != 0)); then
    failed=$code
    annotate error "A pod of session $name may still run and cost money. Look at RunPod's console; the lines above say what went wrong."
  fi
done
exit "$failed"
