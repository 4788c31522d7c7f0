# For scripts that let the program report to a stand-in Bitbucket, and compare what arrives there. They
# source this, call `scenario` and `leave_out` as often as they like, and end with `tell`.
# shellcheck shell=bash

readonly REPOSITORY=my-workspace/my-repo
# shellcheck disable=SC2034 # for those who source this
readonly TOKEN=stand-in-token

summary=()
failures=0

cargo build --locked --quiet --bin build_status --example stand_in
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
readonly target

work=$(mktemp -d)
stand_in=
trap '[[ -z $stand_in ]] || kill "$stand_in" 2>/dev/null || true; rm -rf "$work"' EXIT

: >"$work/statuses" # it is read before the stand-in has opened it
"$target/debug/examples/stand_in" --port 0 --gitlab >>"$work/statuses" &
stand_in=$!
for _ in {1..100}; do
    bitbucket=$(sed -n 's/^listening on //p' "$work/statuses")
    gitlab_api=$(sed -n "s/^GitLab's API is //p" "$work/statuses")
    [[ -z $bitbucket || -z $gitlab_api ]] || break
    sleep 0.05
done
[[ -n $bitbucket && -n $gitlab_api ]] || { echo "The stand-in does not start." >&2; exit 1; }

# Calls FUNCTION, which installs something, and shows what it printed if it fails.
try_install() { # FUNCTION
    "$1" >"$work/install" 2>&1 && return
    echo "$1:" >&2
    tail -n 5 "$work/install" >&2
    return 1
}

# From PyPI, into $venv: what holds YAML files against schemas and rules.
venv=$target/examples/venv
install_python_tools() {
    local wanted='check-jsonschema==0.39.0 ruamel.yaml==0.19.1 zizmor==1.32.0'
    [[ $(cat "$venv/tools" 2>/dev/null) == "$wanted" ]] && return
    mkdir -p "$target/examples"
    # shellcheck disable=SC2086 # three words
    python3 -m venv --clear "$venv" && "$venv/bin/pip" install --quiet $wanted && echo "$wanted" >"$venv/tools"
}

leave_out() { # WHAT WHY
    summary+=("LEFT OUT  $1: $2")
}

# Runs COMMAND, and compares its exit code and the statuses that arrived meanwhile (STATE KEY …) with
# those that ought to; behind `…`, the last of them. What it prints is in $work/output afterwards.
scenario() { # NAME EXIT-CODE STATUSES COMMAND [ARG]…
    local name=$1 expected_code=$2 expected=$3 before code=0 arrived
    shift 3
    before=$(wc -l <"$work/statuses")
    "$@" >"$work/output" 2>&1 || code=$?
    arrived=$(tail -n "+$((before + 1))" "$work/statuses")
    # Every line ends in the same repository and commit.
    arrived=${arrived// "$REPOSITORY@${commit:0:12}"/}
    [[ $expected != …* ]] || arrived=…${arrived##*$'\n'}
    if [[ $code == "$expected_code" && $arrived == "$expected" ]]; then
        summary+=("ok        $name")
        return
    fi
    summary+=("FAIL      $name")
    failures=$((failures + 1))
    printf '\n--- %s: exit code %s, expected %s\n' "$name" "$code" "$expected_code"
    cat "$work/output"
    echo '--- statuses, expected (-) and arrived (+)'
    diff -U 99 <(echo "$expected") <(echo "$arrived") | tail -n +4 || true
}

# Prints what became of each scenario, and fails if one of them has.
tell() {
    kill -0 "$stand_in" 2>/dev/null || echo 'The stand-in ended before the last scenario: see above.'
    printf '%s\n' "${summary[@]}"
    ((failures == 0))
}
