#!/usr/bin/env bash
# stop.sh: stops the session and waits until RunPod shows its pod gone; writes the bill into the job's summary.
# Outputs: pod-id, cost-usd.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

document=$state/$SESSION.stopped.json
code=0
devloop stop "$SESSION" --json >"$document" || code=$?
report stopped "$document" || code=1
if ((code != 0)) && [[ $STARTED != success ]]; then
  annotate notice "Session $SESSION was not seen to start, and could not be stopped."
  exit 0
fi
exit "$code"
