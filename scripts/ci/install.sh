#!/usr/bin/env bash
# install.sh: installs and builds the checkout that this script is a part of.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# The last thing that a build writes: a second use in the same job finds it.
if [[ -f dist/workflow-bundle.js ]]; then
  echo 'Devloop is built already.'
else
  # A job may have NODE_ENV=production: the compiler is a development dependency.
  npm ci --include=dev --no-audit --no-fund
fi
