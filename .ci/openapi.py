"""Validates recorded requests against the schemas of both Bitbuckets. Called by .ci/openapi."""

import collections
import json
import pathlib
import re
import sys
from urllib.parse import parse_qs, urlsplit

from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

HOST = "https://bitbucket.example.com"

# What the extracts of the schemas do not have. Each is a GET of `check`.
NOT_THERE = [
    r"/2\.0/user",
    r"/2\.0/repositories/[^/]+/[^/]+(/commit/[0-9a-f]+)?",
    r"/rest/api/latest/projects/[^/]+/repos/[^/]+(/commits/[0-9a-f]+)?",
]


def load(directory, name, prefix):
    spec = json.loads((pathlib.Path(directory) / name).read_text())
    spec["servers"] = [{"url": HOST + prefix}]
    # Cloud's schema wants a `type`, which no client sends and the server fills in.
    for schema in spec["components"]["schemas"].values():
        for part in [schema, *schema.get("allOf", [])]:
            if part.get("required") == ["type"]:
                del part["required"]
    # Who may call is not the question here.
    spec.pop("security", None)
    for path in spec["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
                # Data Center takes any type that is JSON; the validator wants to know which.
                content = operation.get("requestBody", {}).get("content", {})
                if "*/*" in content:
                    content["application/json"] = content.pop("*/*")
    return OpenAPI.from_dict(spec)


def main(directory, record):
    cloud = load(directory, "bitbucket-cloud-commit-statuses.json", "/2.0")
    data_center = load(directory, "bitbucket-data-center-9.4-builds.json", "/rest")
    counts = collections.Counter()
    failures = {}
    # Not splitlines(), which takes U+2028 for an end too.
    for line in pathlib.Path(record).read_text().strip("\n").split("\n"):
        request = json.loads(line)
        if "gitlab" in request:
            continue  # for openapi_gitlab.py
        headers = dict(request["headers"])
        if not headers.get("user-agent", "").startswith("build_status/"):
            continue  # the script that the binary is compared with
        url = urlsplit(request["path"])
        path = re.sub(r"^/bitbucket(?=/rest/)", "", url.path)
        kind = f"{request['method']} {re.sub('[0-9a-f]{7,64}', '{commit}', path)}"
        if path == "/site/oauth2/access_token":
            counts["the exchange of OAuth 2, which has no schema"] += 1
            continue
        if request["method"] == "GET" and any(re.fullmatch(it, path) for it in NOT_THERE):
            counts["GETs of `check` that the extracts do not have"] += 1
            continue
        # 1.0 and latest are the same, and the schema has the second.
        path = path.replace("/rest/build-status/1.0/", "/rest/build-status/latest/")
        api = cloud if path.startswith("/2.0/") else data_center
        body = request["body"].encode() or None
        mock = MockRequest(
            HOST,
            request["method"].lower(),
            path,
            args={name: values[0] for name, values in parse_qs(url.query).items()},
            headers=headers,
            data=body,
            content_type=headers.get("content-type", ""),
        )
        try:
            api.validate_request(mock)
        except Exception as error:  # openapi-core has many kinds
            causes = getattr(error.__cause__, "schema_errors", [])
            causes = [cause.message for cause in causes] or [str(error)]
            failures.setdefault((kind, *causes), request["body"])
            counts["FAIL"] += 1
            continue
        product = "Cloud" if api is cloud else "Data Center"
        counts[f"valid {request['method']}s to {product}"] += 1
    for (kind, *causes), body in failures.items():
        print(f"FAIL {kind}: {'; '.join(causes)}\n     {body}")
    for what, count in sorted(counts.items()):
        print(f"{count:6} {what}")
    valid = sum(count for what, count in counts.items() if what.startswith("valid"))
    if counts["FAIL"] or valid < 100:
        sys.exit(1)


main(*sys.argv[1:])
