# lib.sh: what the scripts of the GitHub action share; sourced by them.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
main=$root/dist/src/cli/main.js
state=$RUNNER_TEMP/devloop
mkdir -p "$state"
export DEVLOOP_DATA_DIR=$state/data
export DEVLOOP_OWNER=${DEVLOOP_OWNER:-gh-$GITHUB_REPOSITORY_ID}
# A profile that lies on a self-hosted runner is no choice of this job.
if [[ ${TEMPORAL:-embedded} == embedded ]]; then export TEMPORAL_CONFIG_FILE=$state/no-temporal-profiles.toml; fi

# Away from the workspace: a .env that a pull request brings must not say where the account's key is sent.
devloop() (
  cd "$state" && exec node "$main" "$@"
)

# report <stopped|reaped> <document>: the job's summary and the step's outputs.
report() {
  node "$root/dist/scripts/ci/report.js" "$1" "$2" "$GITHUB_STEP_SUMMARY" "$GITHUB_OUTPUT"
}

# annotate <notice|warning|error> <message>: shown on the run's page. A line break would end it.
annotate() {
  local text=${2//'%'/%25}
  text=${text//$'\r'/%0D}
  echo "::$1 title=Devloop::${text//$'\n'/%0A}"
}

refuse() {
  annotate error "$1"
  exit 2
}
