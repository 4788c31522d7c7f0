#!/bin/sh
# Writes licenses/THIRD-PARTY.txt: the libraries in the binaries, and their licences. Call it when
# Cargo.lock has changed; .ci/run fails when the file names other crates. Needs cargo, and Debian's copy
# of the LGPL.
#
# The file is in git because a release would otherwise build cargo-about on each of five machines: that
# takes 4.5 minutes on two cores, and writing the file 40 seconds more.
set -eu
cd "$(dirname "$0")/.."

about=target/tools/bin/cargo-about
[ -x "$about" ] || cargo install --quiet --locked --version 0.9.3 --features cli --root target/tools cargo-about
{
  cargo fetch --locked --quiet >&2
  "$about" generate --locked --offline --fail --config licenses/about.toml licenses/about.hbs
  cat << 'TEXT'

================================================================================
GNU Lesser General Public License 2.1
  the GNU C Library, in the Linux binaries
================================================================================

The Linux binaries are linked statically with the GNU C Library (https://www.gnu.org/software/libc/).
To link them with another version of it, build build_status from its source with scripts/static.sh.

TEXT
  cat /usr/share/common-licenses/LGPL-2.1
} > target/THIRD-PARTY.txt
mv target/THIRD-PARTY.txt licenses/THIRD-PARTY.txt
