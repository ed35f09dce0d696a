#!/usr/bin/env bash
# build-ollama.sh <file>: builds the pinned Ollama from its Go module and puts it there in one step. Some 4 minutes on
# two cores. Needs Go, a C++ compiler and Debian's nlohmann-json3-dev and libstb-dev.
set -euo pipefail

OLLAMA_VERSION=0.17.4
# Holds miniaudio.h.
MALGO_VERSION=0.11.24

target=$1
folder=$(dirname "$target")
# Always the same path: it is part of what Go's build cache knows the compiled C++ by.
headers=$folder/include
mkdir -p "$headers/miniaudio"
work=$(mktemp -d "$folder/.build-XXXXXX")
trap 'rm -rf "$work"' EXIT

# The module proxy leaves out every folder named `vendor`, and with it the C++ headers that Ollama keeps there.
malgo=$(cd "$work" && go mod download -json "github.com/gen2brain/malgo@v$MALGO_VERSION" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
install -m 644 "$malgo/miniaudio.h" "$headers/miniaudio/"
cd "$work"
# Without the debugging facts, which nobody reads and which cost a good part of the compiler's time.
export CGO_ENABLED=1 CGO_CPPFLAGS="-I$headers" CGO_CFLAGS=-O2 CGO_CXXFLAGS=-O2
GOBIN=$work/bin go install "github.com/ollama/ollama@v$OLLAMA_VERSION"
mv -f "$work/bin/ollama" "$target"
