#!/usr/bin/env bash
# What .github/workflows/release.yml does, apart from publishing, so that it can be tried here:
#
#   scripts/release.sh check TAG REPOSITORY   do the files agree with the tag v1.2.3 and owner/name?
#   scripts/release.sh notes TAG              prints the CHANGELOG's section
#   scripts/release.sh build TARGET           dist/build_status-TARGET.tgz (Windows: .zip)
#   scripts/release.sh integrity              prints what goes beside `include: remote` of the template
#   scripts/release.sh unpack                 dist/amd64 and dist/arm64 from those, for the Dockerfile
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  sed -n '2,/^set/{/^#/p}' "$0" >&2
  exit 2
}

check() {
  [[ $# == 2 ]] || usage
  local version=${1#v} repository=$2 wrong=0 others
  agrees() { # FILE TEXT
    grep -qF -- "$2" "$1" || { echo "$1 does not have: $2" >&2; wrong=1; }
  }
  # The whole line: a dependency may have this version too.
  grep -qxF -- "version = \"$version\"" Cargo.toml || { echo "Cargo.toml has another version" >&2; wrong=1; }
  others=$(grep -oE '(build_status[:@/]v?|download/v)[0-9]+\.[0-9]+\.[0-9]+' README.md docs/*.md templates/bitbucket-status.yml | grep -vE "[:@v/]v?${version//./\\.}\$" || true)
  [[ -z $others ]] || { echo "another version: $others" >&2; wrong=1; }
  agrees Cargo.toml "repository = \"https://github.com/$repository\""
  agrees Dockerfile "image.source=\"https://github.com/$repository\""
  agrees action.yml "image: docker://ghcr.io/$repository:$version"
  agrees docs/github.md "uses: $repository@v$version"
  agrees CHANGELOG.md "## [$version]"
  return $wrong
}

notes() {
  [[ $# == 1 ]] || usage
  local section
  section=$(awk -v heading="## [${1#v}]" '
    index($0, heading) == 1 { inside = 1; next }
    /^## / { inside = 0 }
    inside' CHANGELOG.md)
  [[ -n $section ]] || { echo "CHANGELOG.md has no section ${1#v}" >&2; return 1; }
  echo "$section"
  printf '\n`integrity` of `templates/bitbucket-status.yml` for GitLab: `%s`\n' "$(integrity)"
}

build() {
  [[ $# == 1 ]] || usage
  local target=$1 name=build_status-$1 binary
  case $target in
    *-linux-gnu)
      [[ $(rustc -vV | sed -n 's/^host: //p') == "$target" ]] || { echo "not on $target" >&2; return 1; }
      binary=$(scripts/static.sh)
      ;;
    *-windows-msvc)
      # Without a C runtime that would have to be installed.
      RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --release --target "$target" --bin build_status
      binary=target/$target/release/build_status.exe
      ;;
    *)
      cargo build --locked --release --target "$target" --bin build_status
      binary=target/$target/release/build_status
      ;;
  esac
  rm -rf "dist/$name"
  mkdir -p "dist/$name"
  cp "$binary" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT licenses/THIRD-PARTY.txt "dist/$name/"
  case $target in
    *-windows-msvc) (cd dist && 7z a -bso0 "$name.zip" "$name") ;;
    *) tar -C dist -czf "dist/$name.tgz" "$name" ;;
  esac
  rm -r "dist/${name:?}"
}

# https://docs.gitlab.com/ci/yaml/#includeintegrity
integrity() {
  echo "sha256-$(openssl dgst -sha256 -binary templates/bitbucket-status.yml | base64)"
}

unpack() {
  local pair name
  for pair in amd64=x86_64 arm64=aarch64; do
    name=build_status-${pair#*=}-unknown-linux-gnu
    mkdir -p "dist/${pair%=*}"
    tar -xzf "dist/$name.tgz" -C "dist/${pair%=*}" --strip-components 1 "$name/build_status"
  done
}

case ${1-} in
  check | notes | integrity | build | unpack) "$@" ;;
  *) usage ;;
esac
