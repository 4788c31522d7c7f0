"""Validates what the stand-in GitLab was asked, and what it said, against GitLab's own schema. Called
by .ci/openapi."""

import collections
import json
import pathlib
import re
import sys
from urllib.parse import parse_qs, urlsplit

from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

HOST = "https://gitlab.example.com"

# What the extract of the schema does not have.
NOT_THERE = [r"/api/v4/projects/[^/]+/merge_requests/\d+"]


def load(path):
    spec = json.loads(pathlib.Path(path).read_text())
    spec["servers"] = [{"url": HOST}]
    spec.pop("security", None)  # who may call is not the question here
    schemas = spec["components"]["schemas"]
    # The validator does not see `nullable` beside `allOf` or `oneOf`.
    for properties in [schema.get("properties", {}) for schema in schemas.values()]:
        for name, it in properties.items():
            if it.get("nullable") and "allOf" in it:
                referred = schemas[it["allOf"][0]["$ref"].rsplit("/", 1)[1]]
                properties[name] = {**referred, "nullable": True}
            elif it.get("nullable") and "oneOf" in it:
                it["oneOf"][0]["nullable"] = True
    return spec


def parameters(spec, path):
    """The names that an endpoint's query may have; None where there is no such endpoint."""
    for template, operations in spec["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return {it["name"] for it in operations["get"]["parameters"] if it["in"] == "query"}
    return None


def reason(check, *what):
    """Why a check fails, or nothing."""
    try:
        check(*what)
    except Exception as error:  # openapi-core has many kinds
        causes = getattr(error.__cause__, "schema_errors", None) or [error.__cause__ or error]
        places = (".".join(map(str, getattr(it, "absolute_path", ()))) for it in causes)
        return "; ".join(f"{place} {getattr(it, 'message', it)}" for place, it in zip(places, causes))
    return None


def main(schema, record):
    spec = load(schema)
    api = OpenAPI.from_dict(spec)
    counts = collections.Counter()
    failures = set()
    for line in pathlib.Path(record).read_text().strip("\n").split("\n"):
        exchange = json.loads(line)
        if "gitlab" not in exchange:
            continue
        headers = dict(exchange["headers"])
        # Others ask for what is wrong too, to see that it is refused.
        ours = headers.get("user-agent", "").startswith("build_status/")
        if not exchange["path"].startswith(exchange["gitlab"] + "/api/v4/"):
            counts["exchanges outside of the API"] += 1
            continue
        url = urlsplit(exchange["path"].removeprefix(exchange["gitlab"]))
        query = parse_qs(url.query, keep_blank_values=True)
        kind = f"{exchange['method']} {exchange['path']}"
        answer = exchange["answer"]
        if any(re.fullmatch(it, url.path) for it in NOT_THERE):
            counts["exchanges that the extract does not have"] += 1
            continue
        names = parameters(spec, url.path)
        request = MockRequest(
            HOST,
            exchange["method"].lower(),
            url.path,
            args={name: values if name.endswith("[]") else values[0] for name, values in query.items()},
            headers=headers,
        )
        wrong = reason(api.validate_request, request)
        if names is not None and not wrong and set(query) - names:
            wrong = f"the query has {sorted(set(query) - names)}"
        refused = answer is not None and 300 <= answer["status"] < 500
        cut = not ours and int(query.get("per_page", ["0"])[0] or 0) > 100  # GitLab cuts it to 100
        if wrong and (ours or not refused and not cut):
            failures.add(f"request {kind}: {wrong}")
        else:
            counts["requests that are wrong, and refused" if wrong else "valid requests"] += 1
        operation = names is not None and exchange["method"] == "GET"
        if answer is None or not operation:
            counts["answers of a test, or of no endpoint"] += 1
            continue
        said = dict(answer["headers"])
        response = MockResponse(
            answer["body"].encode(), answer["status"], headers=said, content_type=said["content-type"]
        )
        wrong = reason(api.validate_response, request, response)
        if wrong:
            failures.add(f"answer {answer['status']} to {kind}: {wrong}")
        else:
            counts[f"valid answers {answer['status']}"] += 1
    for failure in sorted(failures):
        print(f"FAIL {failure}")
    for what, count in sorted(counts.items()):
        print(f"{count:6} {what}")
    if failures or counts["valid answers 200"] < 30:
        sys.exit(1)


main(*sys.argv[1:])
