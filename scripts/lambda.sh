#!/usr/bin/env bash
# Makes the zips of the Lambda function, one for each architecture, from the static Linux files:
#
#   scripts/lambda.sh              dist/build_status-lambda-amd64.zip and -arm64.zip, from dist/amd64 and
#                                  dist/arm64 (scripts/static.sh, scripts/release.sh unpack); one that is
#                                  not there is left out
#   scripts/lambda.sh BINARY ZIP   one zip
#
# The same binary gives the same zip, byte for byte. Needs Python.
set -euo pipefail

pack() { # BINARY ZIP
  python3 - "$1" "$2" << 'END'
import sys
import zipfile

binary, path = sys.argv[1:]
# Lambda starts the file bootstrap at the root. The zip's first day stands for no date at all.
entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
entry.create_system = 3  # Unix, whose mode is in the upper half
entry.external_attr = 0o100755 << 16
entry.compress_type = zipfile.ZIP_DEFLATED
with open(binary, "rb") as file, zipfile.ZipFile(path, "w") as archive:
    archive.writestr(entry, file.read(), compresslevel=9)
END
  echo "$2"
}

if [ $# = 2 ]; then
  pack "$1" "$2"
  exit
fi
[ $# = 0 ] || { sed -n '2,/^set/{/^#/p}' "$0" >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
made=
for architecture in amd64 arm64; do
  binary=dist/$architecture/build_status
  if [ -f "$binary" ]; then
    pack "$binary" "dist/build_status-lambda-$architecture.zip"
    made=1
  else
    echo "left out: $binary is not there" >&2
  fi
done
[ -n "$made" ] || { echo "scripts/static.sh makes one of them" >&2; exit 1; }
