#!/usr/bin/env bash
# start.sh: starts the session of the job, and with it the embedded stack; returns when it is accepted.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# When a CI job stops its session, nobody works on it any more whose work should be waited for.
options=(--drain 0s)
while IFS= read -r gpu; do
  if [[ -n $gpu ]]; then options+=(--gpu "$gpu"); fi
done <<<"$GPU"
# option <option> <value>: an input that was left out is left to the defaults of the product.
option() {
  if [[ -n $2 ]]; then options+=("$1" "$2"); fi
}
option --project "$GITHUB_REPOSITORY"
option --model "$MODEL"
option --api "$API"
option --idle-timeout "$IDLE_TIMEOUT"
option --max-lifetime "$MAX_LIFETIME"
option --max-price "$MAX_PRICE"
option --max-cost "$MAX_COST"
# For run.sh, which has to start the same session again should this one be over by then.
printf '%s\n' "${options[@]}" >"$state/$SESSION.options"

if [[ $EMULATOR == true ]]; then options+=(--emulator); fi
devloop start-session "$SESSION" --detach --no-prompt "${options[@]}"
