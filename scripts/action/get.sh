#!/bin/sh
# action.yml's first step: takes the release's file for this runner, checks it, keeps it in the tool
# cache, and writes its path to the step's outputs. In the sh of Linux, macOS and Git for Windows.
set -eu

fail() {
  echo "build_status: $*" >&2
  exit 1
}

# What is called here has no business with these.
unset BITBUCKET_ACCESS_TOKEN BITBUCKET_CLIENT_ID BITBUCKET_CLIENT_SECRET
github_token=${ACTION_GITHUB_TOKEN-}
unset ACTION_GITHUB_TOKEN

packed=tgz
suffix=
case $RUNNER_OS/$RUNNER_ARCH in
  Linux/X64) target=x86_64-unknown-linux-gnu ;; # static: for musl too
  Linux/ARM64) target=aarch64-unknown-linux-gnu ;;
  macOS/X64) target=x86_64-apple-darwin ;;
  macOS/ARM64) target=aarch64-apple-darwin ;;
  # Windows on ARM runs programs for x86-64.
  Windows/X64 | Windows/ARM64) target=x86_64-pc-windows-msvc packed=zip suffix=.exe ;;
  *) fail "no release has a file for $RUNNER_OS on $RUNNER_ARCH" ;;
esac
folder=build_status-$target
archive=$folder.$packed

version=${INPUT_VERSION#v}
case $version in
  '' | .* | *[!0-9A-Za-z.+-]*) fail "version: not a version: $version" ;;
esac
from=${INPUT_DOWNLOAD_URL:-https://github.com/$ACTION_HOME/releases/download/v$version}
case $from in
  https://*) protocol=https ;;
  http://*@*) fail "download-url: must begin with https://: $from" ;; # the host is behind the @
  http://127.0.0.1[:/]*) protocol=http ;; # a file server on the runner itself
  *) fail "download-url: must begin with https://: $from" ;;
esac

# --- the tool cache ----------------------------------------------------------------------------------

unix_path() { # PATH
  if command -v cygpath > /dev/null; then cygpath --unix "$1"; else echo "$1"; fi
}

kept=$(unix_path "${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}")/build_status/$version/$target
# In a container, or for another user, the cache may not be ours to write to.
mkdir -p "$kept" 2> /dev/null && [ -w "$kept" ] ||
  kept=$(unix_path "$RUNNER_TEMP")/build_status/$version/$target
file=$kept/build_status$suffix
echo "path=$file" >> "$GITHUB_OUTPUT"
[ ! -x "$file" ] || exit 0

# --- the file ----------------------------------------------------------------------------------------

mkdir -p "$kept"
work=$(mktemp -d "$kept/.new.XXXXXX")
trap 'cd / && rm -rf "$work"' EXIT
cd "$work" # names without folders are the same to programs of Windows and of its sh

# Not wget: busybox's does not look at certificates.
command -v curl > /dev/null || fail "this needs curl (Debian: apt-get install curl; Alpine: apk add curl)"
for name in SHA256SUMS "$archive"; do
  curl --proto "=$protocol" --fail --silent --show-error --location --retry 3 --connect-timeout 20 \
    --max-time 300 --output "$name" "${from%/}/$name" || fail "cannot get ${from%/}/$name"
done

expected=
while read -r sum name; do
  [ "${name#\*}" != "$archive" ] || expected=$sum
done < SHA256SUMS
[ -n "$expected" ] || fail "${from%/}/SHA256SUMS does not have $archive"
if command -v sha256sum > /dev/null; then actual=$(sha256sum < "$archive"); else actual=$(shasum -a 256 < "$archive"); fi
[ "${actual%% *}" = "$expected" ] || fail "$archive is not what SHA256SUMS says: expected $expected, got ${actual%% *}"

# Where it was built says who signed it, and not who serves it. Another server than github.com has other
# tokens, which would be refused there.
if [ "${GITHUB_SERVER_URL-}" = https://github.com ] && gh attestation --help > /dev/null 2>&1; then
  GH_TOKEN=$github_token gh attestation verify "$archive" --repo "$ACTION_HOME" \
    --signer-workflow "$ACTION_HOME/.github/workflows/release.yml" ||
    fail "$archive was not built by $ACTION_HOME: see above"
else
  echo "build_status: its attestation is not verified here: that takes github.com and the gh command"
fi

case $packed in
  zip) unzip -q "$archive" "$folder/build_status$suffix" ;;
  tgz) tar -xzf "$archive" "$folder/build_status$suffix" ;;
esac
chmod +x "$folder/build_status$suffix"
# Archives have no version in their names, and the cache would keep one under another's.
said=$("$folder/build_status$suffix" --version) || fail "$archive: its program does not run here"
[ "$said" = "build_status $version" ] || fail "$archive: this is $said, not $version"
# At once, or another runner on this machine has it half.
mv -f "$folder/build_status$suffix" "$file" || [ -x "$file" ]
