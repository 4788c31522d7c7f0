#!/bin/sh
# Builds the container image for this machine's architecture with buildah:
#
#   scripts/image.sh [NAME]       NAME is localhost/build_status:latest unless it is given
#
# Needs buildah (Debian: apt-get install buildah). Where the base cannot be pulled, one is made of
# busybox-static (Debian again), and the output says so.
set -eu
cd "$(dirname "$0")/.."
name=${1:-localhost/build_status:latest}

command -v buildah > /dev/null || {
  echo "this needs buildah (Debian: apt-get install buildah)" >&2
  exit 1
}
scripts/static.sh
case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
esac

base=$(sed -n 's/^ARG BASE=//p' Dockerfile)
if ! problem=$(timeout 120 buildah pull --quiet "$base" 2>&1); then
  echo "the base cannot be pulled: $problem" >&2
  busybox=$(command -v busybox) || {
    echo "nor is there a busybox to make one of (Debian: apt-get install busybox-static)" >&2
    exit 1
  }
  echo "made one of $busybox instead: good for trying, not for publishing" >&2
  base=localhost/busybox:debian
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/root"
  chmod 1777 "$root/tmp"
  cp "$busybox" "$root/bin/busybox"
  for applet in $("$root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln "$root/bin/busybox" "$root/bin/$applet"
  done
  buildah umount "$container" > /dev/null
  buildah config --cmd sh "$container"
  buildah commit --quiet --rm "$container" "$base" > /dev/null
fi

buildah bud --quiet --tag "$name" \
  --build-arg BASE="$base" \
  --build-arg TARGETARCH="$architecture" \
  --build-arg VERSION="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)" \
  --build-arg REVISION="$(git rev-parse HEAD 2> /dev/null || echo unknown)" \
  . > /dev/null
echo "$name"
