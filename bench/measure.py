"""Measures one report from start to exit, and writes bench/README.md's table and bench/start-to-exit.svg.

Called by bench/run, which builds everything and starts the stand-in. Each program gets an environment
with nothing but a GitLab job's variables in it.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import function
import plot

HERE = Path(__file__).parent
BINARY, BARE, STAMP, ROOT, WORK = os.environ["BINARY"], os.environ["BARE"], os.environ["STAMP"], os.environ["ROOT"], Path(os.environ["WORK"])
RUNS = int(os.environ.get("RUNS", "200"))
COMMIT = "1ecfd275763eff1d6b4844ea3168962458c9f27a"
URL = f"{ROOT}/repositories/bare/bare/commit/{COMMIT}/statuses/build"
ONE_CA = str(WORK / "ca.pem")
# What curl does when nobody says otherwise: it reads the system's list of CAs. So does this, with the
# stand-in's own at its end. build_status has Mozilla's list built in.
SYSTEM_CAS = str(WORK / "system.pem")
BODY = json.dumps({
    "state": "SUCCESSFUL", "key": "ci/gitlab-ci/unit-tests", "name": "unit-tests",
    "url": "https://gitlab.com/my-workspace/my-repo/-/jobs/1",
})


def job(cas, root=ROOT):
    return {
        "PATH": os.environ["PATH"], "GITLAB_CI": "true", "CI_JOB_ID": "1", "CI_JOB_NAME": "unit-tests",
        "CI_COMMIT_SHA": COMMIT, "CI_PROJECT_URL": "https://gitlab.com/my-workspace/my-repo",
        "CI_PROJECT_NAMESPACE": "my-workspace", "CI_PROJECT_NAME": "my-repo", "BUILD_STATUS": "passed",
        "BITBUCKET_USERNAME": "me@example.com", "BITBUCKET_ACCESS_TOKEN": "stand-in-token",
        "API_ROOT": root, "BITBUCKET_API_ROOT": root, "SSL_CERT_FILE": cas, "CA_FILE": cas,
    }


def milliseconds(command, env, runs=RUNS):
    """The median of `runs` runs by hyperfine, which gives its own environment to the command."""
    times = WORK / "times.json"
    # As a file, because hyperfine splits a text at its blanks.
    subprocess.run(
        ["hyperfine", "--shell=none", "--warmup", str(min(20, runs)), "--runs", str(runs), "--export-json", str(times), command],
        env=env, check=True, capture_output=True,
    )
    return json.loads(times.read_text())["results"][0]["median"] * 1000


def instructions(command):
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command.split()],
        env=job(ONE_CA), check=True, capture_output=True, text=True,
    )
    return int(done.stderr.split("Collected :")[1].split()[0])


def started(command, silent=False):
    """Milliseconds until `command`, which prints the time, has started."""
    env = job(ONE_CA) | {"BUILD_STATUS_TIMEOUT": "0.5"}
    if silent:
        server = socket.create_server(("127.0.0.1", 0), backlog=100)
        env["BITBUCKET_API_ROOT"] = f"http://127.0.0.1:{server.getsockname()[1]}"

    def once():
        begun = time.time_ns()
        return int(subprocess.run(command.split(), env=env, stdout=subprocess.PIPE, check=True).stdout) - begun

    return statistics.median(once() for _ in range(20)) / 1e6


def others():
    """What else may be on a machine and can post, with the system's CAs: (name, command)."""
    header, basic = "Content-Type: application/json", "Authorization: Bearer stand-in-token"
    (WORK / "body.json").write_text(BODY)
    (WORK / "post.py").write_text(
        "import ssl, urllib.request as r\n"
        f"q = r.Request({URL!r}, {BODY.encode()!r}, {{'Authorization': 'Bearer stand-in-token', 'Content-Type': 'application/json'}})\n"
        f"r.urlopen(q, context=ssl.create_default_context(cafile={SYSTEM_CAS!r})).read()\n"
    )
    (WORK / "post.mjs").write_text(
        f"const a = await fetch({URL!r}, {{method: 'POST', body: {BODY!r}, "
        "headers: {Authorization: 'Bearer stand-in-token', 'Content-Type': 'application/json'}});\n"
        "if (!a.ok) process.exit(1);\n"
    )
    found = [
        ("curl", f"curl --silent --fail --output /dev/null --cacert {SYSTEM_CAS} --header '{header}' --header '{basic}' --data @{WORK}/body.json {URL}"),
        ("wget", f"wget --quiet --output-document=/dev/null --ca-certificate={SYSTEM_CAS} --header='{header}' --header='{basic}' --post-file={WORK}/body.json {URL}"),
        ("http", f"http --quiet --ignore-stdin --verify={SYSTEM_CAS} POST {URL} '{basic}' '{header}' @{WORK}/body.json"),
        ("xh", f"xh --quiet --ignore-stdin --verify={SYSTEM_CAS} POST {URL} '{basic}' '{header}' @{WORK}/body.json"),
        ("python3", f"{sys.executable} {WORK}/post.py"),
        ("node", f"node {WORK}/post.mjs"),
    ]
    names = {"python3": "Python, urllib", "node": "Node.js, fetch", "http": "HTTPie"}
    return [(names.get(name, name), command) for name, command in found if shutil.which(name)]


def peak_memory(command):
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *command.split()], env=job(ONE_CA), check=True, capture_output=True, text=True)
    return int(done.stderr)


def crates():
    command = "cargo tree --locked --package build_status --edges normal --prefix none"
    tree = subprocess.run(command.split(), check=True, capture_output=True, text=True).stdout
    return len({line.removesuffix(" (*)") for line in tree.splitlines()})


class Table:
    """The figures, beside what they may be at most."""

    def __init__(self):
        self.rows, self.broken = [], []

    def row(self, what, ours, other, unit, most=""):
        ratio = ours / other
        self.hold(what, ratio, most)
        ours, other = (f"{value:.2f}{unit}" if unit else str(value) for value in (ours, other))
        self.rows.append((what, ours, other, f"{ratio:.3f}", most))

    def times(self, what, ours, other, most=""):
        self.row(what, ours, other, " ms", most)

    def limited(self, what, value, most):
        self.hold(what, value, most)
        self.rows.append((what, value, "", "", most))

    def hold(self, what, value, most):
        if most and value > most:
            self.broken.append(f"{what}: {value:.3f} is more than {most}; is the machine busy?")

    def write(self):
        head = "| what | build_status | the other | ratio | at most |\n|---|---|---|---|---|\n"
        table = head + "\n".join(f"| {' | '.join(map(str, row))} |" for row in self.rows)
        print(table)
        if self.broken or RUNS < 200:
            print("bench/README.md stays as it is: a limit is broken, or RUNS is below 200", file=sys.stderr)
            return False
        readme = HERE / "README.md"
        before, _, rest = readme.read_text().partition("<!-- table -->\n")
        after = rest.partition("<!-- /table -->")[2]
        readme.write_text(f"{before}<!-- table -->\n{table}\n<!-- /table -->{after}")
        return True


def delayed(rtt):
    """The stand-in, that many milliseconds away."""
    port = ROOT.split(":")[2].split("/")[0]
    process = subprocess.Popen([sys.executable, str(HERE / "delay.py"), port, str(rtt)], stdout=subprocess.PIPE, text=True)
    return process, ROOT.replace(port, process.stdout.readline().strip())


def main():
    binary, script = f"{BINARY} --quiet", "bash tests/script.sh"
    bare = f"{BARE} {URL} {ONE_CA}"
    table = Table()

    ours, curl = milliseconds(binary, job(ONE_CA)), milliseconds(script, job(SYSTEM_CAS))
    table.times("start to exit; bash + curl reads the system's CAs, as it does by itself, build_status has its own built in", ours, curl, 0.075)
    table.times("the same, both read the system's CAs from a file", milliseconds(binary, job(SYSTEM_CAS)), curl)
    table.times("the same, both are told to trust one CA only", ours, milliseconds(script, job(ONE_CA)))
    bare_alone = milliseconds(bare, job(ONE_CA))
    table.times("the same, against a bare ureq POST", ours, bare_alone)
    near = [("build_status", ours, True), ("bash + curl", curl, False), ("a bare ureq POST", bare_alone, False)]
    for name, command in others():
        its = milliseconds(command, job(SYSTEM_CAS) | {"NODE_EXTRA_CA_CERTS": ONE_CA}, max(20, RUNS // 4))
        table.times(f"the same, against {name}", ours, its)
        near.append((name, its, False))
    panels = [("One report over TLS on loopback, from start to exit", sorted(near, key=lambda row: row[1]))]
    for rtt in (20, 100):
        process, root = delayed(rtt)
        far = [milliseconds(command, job(cas, root), max(20, RUNS // 10)) for command, cas in ((binary, ONE_CA), (script, SYSTEM_CAS))]
        process.kill()
        trips = [f"{(there - here) / rtt:.1f}" for there, here in zip(far, (ours, curl))]
        table.times(f"the same as at first, Bitbucket is {rtt} ms away: {trips[0]} and {trips[1]} round trips", *far)
        panels.append((f"{rtt} ms of round trip", [("build_status", far[0], True), ("bash + curl", far[1], False)]))

    counted = instructions(binary), instructions(bare)
    table.row("instructions, against a bare ureq POST", *counted, "", 1.03)
    alone = started(STAMP)
    for what, silent in ("until a command has started, wrapped by run, against not wrapped", False), ("the same, Bitbucket never answers", True):
        wrapped = started(f"{BINARY} run --quiet -- {STAMP}", silent)
        table.limited(f"{what}: ms more", round(wrapped - alone, 2), 3)
    table.limited("peak memory: KiB", peak_memory(binary), 5120)
    environment = {"BITBUCKET_API_ROOT": ROOT, "BITBUCKET_ACCESS_TOKEN": "stand-in-token", "SSL_CERT_FILE": ONE_CA,
                   "BITBUCKET_REPOSITORY": "bare/bare"}
    table.limited("peak memory of the Lambda function after 1,000 events: KiB", function.peak_memory(BINARY, environment), 8192)
    python = HERE.parent / "target/aws/bin/python"  # .ci/aws makes it
    if python.exists():
        theirs = function.milliseconds_to_first_question([python, "-c", function.SCRIPT], max(20, RUNS // 10))
        table.times("start of the Lambda function to its first question, against Python with botocore imported",
                    function.milliseconds_to_first_question([BINARY], RUNS), theirs, 0.05)
    table.limited("statically linked binary: bytes", os.path.getsize(BINARY), 3_700_000)
    table.limited("crates in the release tree", crates(), 60)

    if table.write():
        (HERE / "start-to-exit.svg").write_text(plot.bars(panels))
    sys.exit("\n".join(table.broken))


main()
