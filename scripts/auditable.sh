#!/bin/sh
# cargo, which puts into a program the list of the crates that it was built of:
#
#   scripts/auditable.sh build --locked --release
#
# `cargo audit bin FILE` and scanners (Trivy, Grype, osv-scanner) read the list, after stripping too.
# https://github.com/rust-secure-code/cargo-auditable
set -eu

tools=$(cd "$(dirname "$0")/.." && pwd)/target/tools
[ -x "$tools/bin/cargo-auditable" ] || [ -x "$tools/bin/cargo-auditable.exe" ] ||
  env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
    cargo install --quiet --locked --debug --version 0.7.7 --root "$tools" cargo-auditable # half a minute

# What `cargo auditable` sets, but the wrapper without its path: Cargo hashes that into the names of
# symbols, and so into the file. https://github.com/rust-lang/cargo/blob/master/src/cargo/core/compiler/build_runner/compilation_files.rs
PATH=$tools/bin:$PATH RUSTC_WORKSPACE_WRAPPER=cargo-auditable \
  CARGO_AUDITABLE_ORIG_ARGS='{"offline":false,"locked":true,"frozen":false,"config":[]}' exec cargo "$@"
