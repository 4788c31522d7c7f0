#!/usr/bin/env bash
# What .github/workflows/release.yml does, apart from publishing, so that it can be tried here:
#
#   scripts/release.sh home                   prints the home, owner/name, after a check that no file has another
#   scripts/release.sh home OWNER/NAME        writes it into every file
#   scripts/release.sh check TAG OWNER/NAME   do the files agree with the tag v1.2.3 and the home?
#   scripts/release.sh notes TAG              prints the CHANGELOG's section
#   scripts/release.sh build TARGET           dist/build_status-TARGET.tgz (Windows: .zip), completions and man included
#   scripts/release.sh pack TARGET BINARY [FOLDER]   the same of a file that is there already, in FOLDER,
#                                             with the completions and pages that are in dist/made
#   scripts/release.sh deb | rpm              dist/build_status-TARGET.deb, .rpm: of this machine's static file
#   scripts/release.sh sbom TARGET            dist/build_status-TARGET.cdx.json: its crates, as CycloneDX
#   scripts/release.sh integrity              prints what goes beside `include: remote` of the template
#   scripts/release.sh unpack                 dist/amd64 and dist/arm64 from those, for the Dockerfile
#
# Archives, packages and SBOMs have the time of the commit, or SOURCE_DATE_EPOCH, so that the same source
# gives the same ones. What Cargo installs for it goes below target/tools, once: cargo-deb and
# cargo-cyclonedx take less than a minute each on two cores, cargo-generate-rpm four.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || echo 0)}
export SOURCE_DATE_EPOCH

usage() {
  sed -n '2,/^set/{/^#/p}' "$0" >&2
  exit 2
}

# --- the home ----------------------------------------------------------------------------------------

# Until there is one, it is a name that nobody can register, or our pages would tell people to run what
# somebody else puts there. OWNER alone would be one for GitHub, which ignores case; no account of GitHub
# and no path of an image begins with an underscore.
readonly NOBODY=_OWNER/build_status
home() {
  local old new=${1-}
  old=$(sed -n 's|^repository = "https://github.com/\([^"]*\)".*|\1|p' Cargo.toml)
  if [[ -z $new ]]; then
    one_home "$old"
    return
  fi
  [[ $# == 1 && $new =~ ^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$ ]] || usage
  written | xargs -0 sed -i -E "s#ghcr\.io/($(image_of "$old")|$NOBODY)([^A-Za-z0-9_-]|\$)#ghcr.io/$(image_of "$new")\2#g
    s#(^|[^A-Za-z0-9_.-])(${old//./\\.}|_?OWNER/build_status)([^A-Za-z0-9_-]|\$)#\1$new\3#g"
  one_home "$new"
}

image_of() { # OWNER/NAME
  # In the name of an image no letter is large.
  if [[ $1 == "$NOBODY" ]]; then echo "$1"; else tr '[:upper:]' '[:lower:]' <<< "$1"; fi
}

# The files where the home may stand.
written() {
  git ls-files -z --cached --others --exclude-standard -- . ':!CHANGELOG.md' ':!Cargo.lock' ':!licenses/THIRD-PARTY.txt' ':!scripts/release.sh'
}

# Prints the home, if no other is named where one is.
one_home() { # OWNER/NAME
  local others
  others=$(written | xargs -0 grep -nIoE '(github\.com/|githubusercontent\.com/|ghcr\.io/|uses: |ACTION_HOME: |startsWith\(")[A-Za-z0-9_.-]+/build_status\b|[A-Z_]*OWNER/build_status' |
    grep -vE "[/ \":]($1|$(image_of "$1"))\$" || true)
  [[ -z $others ]] || {
    printf 'not %s (scripts/release.sh home writes it everywhere):\n%s\n' "$1" "$others" >&2
    return 1
  }
  echo "$1"
}

check() {
  [[ $# == 2 ]] || usage
  local version=${1#v} repository=$2 wrong=0 others
  agrees() { # FILE TEXT
    grep -qF -- "$2" "$1" || { echo "$1 does not have: $2" >&2; wrong=1; }
  }
  one_home "$repository" > /dev/null || wrong=1
  # The whole line: a dependency may have this version too.
  grep -qxF -- "version = \"$version\"" Cargo.toml || { echo "Cargo.toml has another version" >&2; wrong=1; }
  others=$(grep -oE '(build_status[:@/]v?|download/v)[0-9]+\.[0-9]+\.[0-9]+' README.md docs/*.md templates/bitbucket-status.yml | grep -vE "[:@v/]v?${version//./\\.}\$" || true)
  [[ -z $others ]] || { echo "another version: $others" >&2; wrong=1; }
  agrees Cargo.toml "repository = \"https://github.com/$repository\""
  agrees Dockerfile "image.source=\"https://github.com/$repository\""
  agrees action.yml "ACTION_HOME: $repository"
  agrees action.yml "    default: $version"
  agrees docs/github.md "uses: $repository@v$version"
  agrees README.md "ghcr.io/$(image_of "$repository"):$version"
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

# --- files -------------------------------------------------------------------------------------------

python() {
  local name
  for name in python3 python; do
    command -v $name > /dev/null && { command $name "$@"; return; }
  done
  echo "this needs Python" >&2
  return 1
}

build() {
  [[ $# == 1 ]] || usage
  local target=$1 binary=target/$1/release/build_status
  case $target in
    *-linux-gnu)
      [[ $(rustc -vV | sed -n 's/^host: //p') == "$target" ]] || { echo "not on $target" >&2; return 1; }
      binary=$(scripts/static.sh)
      ;;
    *-windows-msvc)
      # Without a C runtime that would have to be installed.
      RUSTFLAGS="-C target-feature=+crt-static" \
        scripts/auditable.sh build --locked --release --target "$target" --bin build_status
      binary+=.exe
      ;;
    *) scripts/auditable.sh build --locked --release --target "$target" --bin build_status ;;
  esac
  # After stripping, which the profile does: the crates are in it.
  python scripts/crates.py "$binary" > /dev/null
  completions
  pack "$target" "$binary"
}

# Those are the same everywhere, and made by what runs here.
completions() {
  rm -rf dist/made
  cargo run --locked --quiet --example completions -- dist/made
}

pack() { # TARGET BINARY [FOLDER]
  [[ $# == 2 || $# == 3 ]] || usage
  local archive=${3-dist}/build_status-$1.tgz name=build_status
  case $1 in *-windows-*) archive=${archive%.tgz}.zip name+=.exe ;; esac
  mkdir -p "${3-dist}"
  [[ ! -d dist/made ]] || local made=dist/made
  python scripts/pack.py "$archive" "$2=$name" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT licenses/THIRD-PARTY.txt \
    ${made:+"$made"}
}

# Installs a command of Cargo's, unless it is there.
tool() { # NAME VERSION
  [[ -x target/tools/bin/$1 || -x target/tools/bin/$1.exe ]] ||
    cargo install --quiet --locked --debug --version "$2" --root target/tools "$1"
  PATH=$PWD/target/tools/bin:$PATH
}

# Calls COMMAND with the target and what the static file's package is to be called.
package() { # DEB-OR-RPM COMMAND…
  local target
  scripts/static.sh > /dev/null
  target=$(rustc -vV | sed -n 's/^host: //p')
  completions
  CARGO_TARGET_DIR=target/static "${@:2}" --target "$target" --output "dist/build_status-$target.$1"
}

deb() {
  tool cargo-deb 3.8.0
  package deb cargo deb --quiet --locked --no-build --no-strip
}

rpm() {
  tool cargo-generate-rpm 0.21.1
  package rpm cargo generate-rpm --target-dir target/static --source-date "$SOURCE_DATE_EPOCH"
}

sbom() {
  [[ $# == 1 ]] || usage
  local name=build_status-$1.cdx
  tool cargo-cyclonedx 0.5.9
  cargo cyclonedx --quiet --target "$1" --format json --spec-version 1.5 --override-filename "$name"
  mkdir -p dist
  sed "s|path+file://$PWD|path+file:///build_status|g" "$name.json" > "dist/$name.json"
  find . \( -path ./target -o -path ./dist \) -prune -o -name "$name.json" -exec rm {} + # one in each package
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
  home | check | notes | build | pack | deb | rpm | sbom | integrity | unpack) "$@" ;;
  *) usage ;;
esac
