#!/bin/sh
# Builds the statically linked binary, and leaves it at dist/amd64/build_status or
# dist/arm64/build_status. It runs in any Linux image, an empty one too.
#
#   scripts/static.sh                             for this machine's architecture
#   CC=… scripts/static.sh TARGET                 for another, with that C compiler
set -eu
cd "$(dirname "$0")/.."

command -v cargo > /dev/null || {
  echo "this needs Rust: https://rustup.rs" >&2
  exit 1
}
target=${1-$(rustc -vV | sed -n 's/^host: //p')}
cc=${CC-cc}
case $target in
  x86_64-*-linux-gnu) architecture=amd64 ;;
  aarch64-*-linux-gnu) architecture=arm64 ;;
  *)
    echo "there is no static build for $target: run this on Linux with glibc" >&2
    exit 1
    ;;
esac

# A panic ends the program at once, so that nothing needs the tables for unwinding: 0.3 MB. Equal
# functions become one, and relocations are packed: 0.1 MB.
flags="-C target-feature=+crt-static -C force-unwind-tables=no"
flags="$flags -C link-arg=-Wl,--no-eh-frame-hdr -C link-arg=-Wl,-T,scripts/static.ld"
flags="$flags -C link-arg=-Wl,--icf=all -C link-arg=-Wl,-z,pack-relative-relocs"

# Only small functions are copied into their callers: 0.1 MB, for one part in a hundred of the instructions.
flags="$flags -C llvm-args=--inline-threshold=15"

mkdir -p target/static

# On x86-64 Rust brings lld, which knows these, and asks the compiler for a file that is loaded at an
# address of chance. https://blog.rust-lang.org/2025/09/01/rust-lld-on-1.90.0-stable/
# On arm64 it asks for one with fixed addresses (`static-position-independent-executables` in what
# `rustc --print target-spec-json` says).
if [ "$architecture" = arm64 ]; then
  lld=$(command -v ld.lld) || lld=
  version=$([ -z "$lld" ] || "$lld" --version | sed -nE 's/.*LLD ([0-9]+).*/\1/p')
  [ "${version:-0}" -ge 15 ] || {
    echo "this needs ld.lld 15 or newer, which packs relocations (apt-get install lld; Debian 12 has 14," \
      "and 16 in lld-16): found ${version:-none}" >&2
    exit 1
  }
  linker=target/static/pie-gcc # by the name, Rust knows what it is
  cat > $linker << LINK
#!/bin/sh
for argument; do
  shift
  case \$argument in -static | -no-pie) ;; *) set -- "\$@" "\$argument" ;; esac
done
exec $cc -static-pie -fuse-ld=lld -B"$PWD/target/static" "\$@"
LINK
  chmod +x $linker
  # A compiler for another machine looks for a linker of its own.
  ln -sf "$lld" target/static/ld.lld
  flags="$flags -C linker=$linker"
fi

# No module of another glibc, no clone3, no sscanf: see static.c.
"$cc" -Os -fPIE -c scripts/static.c -o target/static/static.o
flags="$flags -C link-arg=target/static/static.o"
for function in __libc_dlopen_mode __clone3 __isoc99_sscanf; do
  flags="$flags -C link-arg=-Wl,--wrap=$function"
done

# Nothing of where it is built, so that the same source gives the same file. A registry's folder is named
# after the registry, which may be a mirror. A folder's name may have spaces, where RUSTFLAGS would be split.
unset SOURCE_DATE_EPOCH # no time is in it, and Cargo would build anew for another one
cargo fetch --quiet --locked --target "$target"
flags=$(printf %s "$flags --remap-path-prefix=" | tr ' ' '\037')$PWD=/build_status
for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
  flags=$(printf '%s\037--remap-path-prefix=%s=/crates' "$flags" "$registry")
done

CARGO_ENCODED_RUSTFLAGS=$flags scripts/auditable.sh build --quiet --locked --release --target "$target" \
  --target-dir target/static --package build_status --bin build_status

mkdir -p "dist/$architecture"
cp "target/static/$target/release/build_status" "dist/$architecture/build_status"
echo "dist/$architecture/build_status"
