"""The Lambda function, with a Runtime API of its own: how long until it asks for its first event, and how
much memory a thousand events take.

    python3 bench/function.py BINARY [PYTHON]

prints the first; PYTHON is one that has botocore (`.ci/aws` makes target/aws/bin/python).
"""

import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

# What a function in Python does before its first question, at the least.
SCRIPT = (
    "import http.client, os, botocore.session\n"
    "api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])\n"
    "api.request('GET', '/2018-06-01/runtime/invocation/next')\n"
    "api.getresponse()\n"
)
SAMPLE = Path(__file__).parent.parent / "tests/aws/events/codebuild-stopped.json"


def milliseconds_to_first_question(command, runs):
    """The median time from the start of the process until its request for an event has arrived."""
    server = socket.create_server(("127.0.0.1", 0))
    env = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.getsockname()[1]}", "BITBUCKET_ACCESS_TOKEN": "stand-in-token"}
    times = []
    for _ in range(runs + 5):
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=env)
        connection, _ = server.accept()
        assert connection.recv(4096).startswith(b"GET /2018-06-01/runtime/invocation/next ")
        times.append(time.perf_counter() - begun)
        process.kill()
        process.wait()
        connection.close()
    return statistics.median(times[5:]) * 1000


def peak_memory(binary, env, events=1000):
    """KiB that the function has needed at most, after so many events, each of another commit."""
    server = socket.create_server(("127.0.0.1", 0))
    env = env | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.getsockname()[1]}"}
    process = subprocess.Popen([binary], env=env, stderr=subprocess.DEVNULL)
    done, failed = threading.Event(), []

    def converse(stream, numbers):
        reader = stream.makefile("rb")
        while line := reader.readline():
            method, path, _ = line.decode().split()
            headers = {}
            while header := reader.readline().decode().strip():
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            said = reader.read(int(headers.get("content-length", 0)))
            if b'"error' in said:
                failed.append(said)
            body, extra, status = b'{"status":"OK"}', "", 202
            if path.endswith("/next"):
                number = next(numbers, None)
                if number is None:
                    done.set()
                    return threading.Event().wait()
                event = json.loads(SAMPLE.read_text())
                event["detail"]["additional-information"]["source-version"] = f"{number:040x}"
                deadline = int(time.time() * 1000) + 60_000
                extra = f"Lambda-Runtime-Aws-Request-Id: {number}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
                body, status = json.dumps(event).encode(), 200
            stream.sendall(f"HTTP/1.1 {status} OK\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def accept():
        numbers = iter(range(events))
        while True:
            stream, _ = server.accept()
            threading.Thread(target=converse, args=(stream, numbers), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    assert done.wait(300) and not failed, failed[:3]
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    process.kill()
    process.wait()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])


if __name__ == "__main__":
    print(f"{milliseconds_to_first_question(sys.argv[1:2], 50):.2f} ms")
    for python in sys.argv[2:]:
        print(f"{milliseconds_to_first_question([python, '-c', SCRIPT], 20):.2f} ms in Python")
