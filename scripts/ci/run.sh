#!/usr/bin/env bash
# run.sh: runs the command with the session's pod at hand, in the folder that this script was started in, and ends as it ends.
# Outputs: exit-code.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

options=()
while IFS= read -r word; do options+=("$word"); done <"$state/$SESSION.options"
command=$state/$SESSION.command
printf '%s\n' "$RUN" >"$command"

# shellcheck disable=SC2016 # The inner shell expands them.
inner=(bash -c 'cd "$1" && exec bash --noprofile --norc -eo pipefail "$2"' run "$PWD" "$command")
(cd "$state" && exec node "$main" exec --session "$SESSION" "${options[@]}" -- "${inner[@]}") &
child=$!
# A cancelled job signals this script alone. The command gets its signal through `devloop exec`.
trap 'heard=yes; kill -TERM "$child" 2>/dev/null' INT TERM
# A signal ends the wait, not the child. Bash remembers how a child ended that it has waited for.
while :; do
  heard=no code=0
  wait "$child" || code=$?
  [[ $heard == yes ]] || break
done

echo "exit-code=$code" >>"$GITHUB_OUTPUT"
case $code in
  0) ;;
  125) annotate error 'Devloop could not run the command: the lines above say why.' ;;
  *) annotate error "The command ended with code $code." ;;
esac
exit "$code"
