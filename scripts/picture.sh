#!/usr/bin/env bash
# Draws README's picture of a terminal, docs/terminal.svg, from what the program prints to a stand-in for
# Bitbucket. `cargo test` fails when it is not what the program prints.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
UPDATE=1 cargo test --locked --quiet --test suite picture::
