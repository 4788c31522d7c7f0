"""A fake AWS on a free port of this machine. Prints its URL, and ends when its stdin does.

It verifies every signature with botocore, validates every body against botocore's model of the call, and
answers with the builds, executions and secrets below. What is not an API's:

    GET /credentials     the container's endpoint, which wants `Authorization: Bearer container`

With the argument `endpoints` it prints a line `SERVICE REGION HOST` for everything that botocore knows
instead.
"""

import datetime
import http.server
import json
import os
import re
import sys
import threading

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

KEYS = {"AKIDEXAMPLE": ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEXAMPLE/token+==")}
TOKEN = os.environ.get("TOKEN", "")
SHA = "1ecfd275763eff1d6b4844ea3168962458c9f27a"
ARN = "arn:aws:codebuild:us-west-2:123456789012:"
REDIRECT = (
    "https://us-west-2.console.aws.amazon.com/codesuite/settings/connections/redirect?connectionArn=arn:aws:x"
    f"&referenceType=COMMIT&FullRepositoryId=my-workspace/my-repo&Commit={SHA}"
)

BUILDS = {
    "web:1": {"id": "web:1", "arn": ARN + "build/web:1", "buildNumber": 55, "buildStatus": "TIMED_OUT",
              "sourceVersion": "main", "resolvedSourceVersion": SHA, "buildBatchArn": ARN + "build-batch/web:9",
              "initiator": "web/AWSCodeBuild-9", "startTime": 1504282349.5,
              "source": {"type": "BITBUCKET", "location": "https://bitbucket.org/my-workspace/my-repo.git"},
              "phases": [{"phaseType": "BUILD", "phaseStatus": "TIMED_OUT",
                          "contexts": [{"statusCode": "BUILD_TIMED_OUT", "message": "Build has timed out. "}]},
                         {"phaseType": "COMPLETED"}]},
}
BATCHES = {
    ARN + "build-batch/web:9": {"buildGroups": [
        {"identifier": "unit", "currentBuildSummary": {"arn": ARN + "build/web:1"}}]},
}
EXECUTIONS = {
    "1": {"pipelineName": "web", "pipelineExecutionId": "1", "status": "Failed", "artifactRevisions": [
        {"name": "Source", "revisionId": SHA, "revisionUrl": REDIRECT,
         "revisionSummary": '{"ProviderType":"Bitbucket","CommitMessage":"a\\n"}'}]},
}
SECRETS = {"arn:aws:secretsmanager:us-west-2:123456789012:secret:ci-AbCdEf": json.dumps({"BITBUCKET_ACCESS_TOKEN": TOKEN})}
PARAMETERS = {"arn:aws:ssm:us-west-2:123456789012:parameter/ci/token": TOKEN}


class Refusal(Exception):
    def __init__(self, status, name, message):
        self.status, self.body = status, {"__type": f"com.amazon.coral.service#{name}", "Message": message}


def many(found, ids, name):
    return {name: [found[it] for it in ids if it in found], f"{name}NotFound": [it for it in ids if it not in found]}


def one(found, key, error):
    if key not in found:
        raise Refusal(400, error, f"{key} is not there")
    return found[key]


def denied(action, resource):
    return Refusal(400, "AccessDeniedException", f"User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to "
                   f"perform: {action} on resource: {resource} because no identity-based policy allows the {action} action")


def secret(body):
    if body["SecretId"].endswith(":secret:denied"):
        raise denied("secretsmanager:GetSecretValue", body["SecretId"])
    return {"SecretString": one(SECRETS, body["SecretId"], "ResourceNotFoundException")}


OPERATIONS = {
    "BatchGetBuilds": ("codebuild", lambda body: many(BUILDS, body["ids"], "builds")),
    "BatchGetBuildBatches": ("codebuild", lambda body: many(BATCHES, body["ids"], "buildBatches")),
    "GetPipelineExecution": ("codepipeline", lambda body: {"pipelineExecution": one(
        EXECUTIONS, body["pipelineExecutionId"], "PipelineExecutionNotFoundException")}),
    "GetSecretValue": ("secretsmanager", secret),
    "GetParameter": ("ssm", lambda body: {"Parameter": {
        "Value": one(PARAMETERS, body["Name"], "ParameterNotFound")}}),
}
SESSION = botocore.session.get_session()
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})")


def verify(method, url, headers, body):
    """The region and service that the request is signed for."""
    match = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not match:
        raise Refusal(400, "IncompleteSignature", "Authorization is not one of AWS4-HMAC-SHA256")
    key, date, region, service, signed, signature = match.groups()
    signed = signed.split(";")
    time = headers.get("x-amz-date", "")
    for name in headers:
        if (name == "host" or name.startswith("x-amz-")) and name not in signed:
            raise Refusal(403, "SignatureDoesNotMatch", f"'{name}' must be a 'SignedHeader' in the Authorization")
    if key not in KEYS or headers.get("x-amz-security-token") != KEYS[key][1]:
        raise Refusal(400, "UnrecognizedClientException", "The security token included in the request is invalid.")
    request = AWSRequest(method, url, data=body, headers={name: headers[name] for name in signed})
    request.context["timestamp"] = time
    auth = SigV4Auth(Credentials(key, KEYS[key][0]), service, region)
    canonical = auth.canonical_request(request)
    if not time.startswith(date) or auth.signature(auth.string_to_sign(request, canonical), request) != signature:
        raise Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you "
                      f"provided.\n\nThe Canonical String for this request should have been\n'{canonical}'\n")
    sent = datetime.datetime.strptime(time, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    now = datetime.datetime.now(datetime.timezone.utc)
    if abs((now - sent).total_seconds()) > 300:
        words = "Signature expired" if sent < now else "Signature not yet current"
        raise Refusal(400, "InvalidSignatureException", f"{words}: {time} is not within 5 minutes of {now:%Y%m%dT%H%M%SZ}")
    return region, service


def call(headers, body, region, service):
    prefix, _, name = headers.get("x-amz-target", "").partition(".")
    if name not in OPERATIONS:
        raise Refusal(400, "UnknownOperationException", "")
    wanted, answer = OPERATIONS[name]
    model = SESSION.get_service_model(wanted)
    expected = (model.metadata["targetPrefix"], model.signing_name, "application/x-amz-json-1.1", "us-west-2")
    if (prefix, service, headers.get("content-type"), region) != expected:
        raise Refusal(400, "ValidationException", f"target, service, content type and region are not {expected}")
    operation = model.operation_model(name)
    body = json.loads(body)
    problems = ParamValidator().validate(body, operation.input_shape).generate_report()
    if problems:
        raise Refusal(400, "ValidationException", problems)
    found = answer(body)
    # Our data has to be such as AWS could answer. (It answers empty lists too, which its model has not.)
    problems = ParamValidator().validate(found, operation.output_shape).generate_report().splitlines()
    assert all("valid min length" in it for it in problems), problems
    return found


def endpoints():
    resolver = SESSION.get_component("endpoint_resolver")
    for service in sorted({service for service, _ in OPERATIONS.values()}):
        for partition in resolver.get_available_partitions():
            for region in resolver.get_available_endpoints(service, partition):
                yield service, region, resolver.construct_endpoint(service, region, partition)["hostname"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        status = 200
        try:
            found = self.route(headers, body)
        except Refusal as refusal:
            status, found = refusal.status, refusal.body
        found = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("x-amzn-RequestId", "r-1")
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    def route(self, headers, body):
        if self.path == "/credentials":
            if headers.get("authorization") != "Bearer container":
                raise Refusal(403, "AccessDenied", "")
            (key, (key_secret, token)), = KEYS.items()
            return {"AccessKeyId": key, "SecretAccessKey": key_secret, "Token": token, "Expiration": "2099-01-01T00:00:00Z"}
        region, service = verify(self.command, f"http://{headers['host']}{self.path}", headers, body)
        if (self.command, self.path) != ("POST", "/"):
            raise Refusal(404, "UnknownOperationException", "")
        return call(headers, body, region, service)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *args):
        pass


if sys.argv[1:] == ["endpoints"]:
    for line in endpoints():
        print(*line)
    sys.exit()

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()
