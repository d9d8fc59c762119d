#!/bin/sh
# Builds, measures every engine in one run, and makes the table and the charts. `run.sh quick` tries the scripts.
set -eu
cd "$(dirname "$0")"
scratch=${PEERS_SCRATCH:-${TMPDIR:-/tmp}/holdback-peers}
mkdir -p "$scratch"
export PEERS_SCRATCH="$scratch" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
[ -d "$scratch/venv" ] || { python3 -m venv "$scratch/venv"; "$scratch/venv/bin/pip" install -q -r requirements.txt; }
[ -d "$scratch/node_modules" ] || npm install --silent --prefix "$scratch" json-rules-engine@7.3.1
cargo build --release
cp "$CARGO_TARGET_DIR/release/holdback-peers" "$scratch/peers"
# Holdback's own engines are a second program: features of rhai would add up over one build.
cargo build --release --no-default-features --features holdback
cp "$CARGO_TARGET_DIR/release/holdback-peers" "$scratch/holdback"
export HOLDBACK_PEERS="$scratch/holdback"
export NODE_PATH="$scratch/node_modules"
"$scratch/venv/bin/python" run.py "$scratch/peers" "$@"
"$scratch/venv/bin/python" plot.py
