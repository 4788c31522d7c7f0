//! The steps on docs/github.md that use no action, as GitHub's runner would start them: those with it are
//! run by .ci/action.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use stand_in::{DEFAULT_COMMIT, DEFAULT_TOKEN, StandIn};

use crate::jenkins::{RELEASE, release};
use crate::support::{Reporter, directory, only_status, shell};

const RUN: &str = "https://github.com/octo/cat/actions/runs/1658821493";

fn block(first: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/github.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, rest) = page.split_once(&format!("```yaml\n{first}\n")).unwrap();
    rest.split("\n```").next().unwrap().to_owned()
}

/// `script` in a job of GitHub's, with what the block has under its last `env:`.
fn step(script: &str, block: &str, status: &str, bitbucket: &StandIn) -> Reporter {
    let mut step = shell(script, Path::new("/bin")).env("BITBUCKET_API_ROOT", bitbucket.api_root());
    for (name, value) in [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_JOB", "test"),
        ("GITHUB_REF_NAME", "main"),
        ("GITHUB_REF_TYPE", "branch"),
        ("GITHUB_REPOSITORY", "octo/cat"),
        ("GITHUB_RUN_ATTEMPT", "1"),
        ("GITHUB_RUN_ID", "1658821493"),
        ("GITHUB_RUN_NUMBER", "3"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_SHA", DEFAULT_COMMIT),
        ("GITHUB_WORKFLOW", "CI"),
    ] {
        step = step.env(name, value);
    }
    let (_, env) = block.rsplit_once("env:\n").unwrap();
    for line in env.lines() {
        let line = line.split(" # ").next().unwrap().trim();
        let (name, value) = line.split_once(": ").unwrap();
        let value = match value {
            "${{ job.status }}" => status,
            "${{ toJSON(matrix) }}" => r#"{"os": "ubuntu-latest", "node": 20}"#,
            "${{ job.check_run_id }}" => "28112233445",
            "${{ secrets.BITBUCKET_ACCESS_TOKEN }}" => DEFAULT_TOKEN,
            plain => plain,
        };
        assert!(!value.contains("${{"), "{line}");
        step = step.env(name, value);
    }
    step
}

fn reported(bitbucket: &StandIn, state: &str) {
    let status = only_status(bitbucket);
    assert_eq!(
        (
            status.key.as_str(),
            status.state.as_str(),
            status.url.as_str()
        ),
        (
            "ci/github/CI/test (ubuntu-latest, 20)",
            state,
            format!("{RUN}/job/28112233445").as_str()
        )
    );
}

#[test]
fn the_steps_without_the_action_report_how_the_job_stands() {
    for (first, calls) in [
        (
            "# a last step, with the program in the image of the job",
            "- run: build_status\n",
        ),
        (
            "# a last step, with the program from its image",
            "    entrypoint: build_status\n",
        ),
    ] {
        let block = block(first);
        assert!(block.contains(calls), "{block}");
        for (word, state) in [
            ("success", "SUCCESSFUL"),
            ("failure", "FAILED"),
            ("cancelled", "STOPPED"),
        ] {
            let bitbucket = StandIn::start();
            step("build_status", &block, word, &bitbucket)
                .run()
                .exits(0);
            reported(&bitbucket, state);
        }
    }
}

#[test]
fn the_workflow_of_one_command_gets_the_program_and_reports_its_end() {
    let block = block("# .github/workflows/run.yml");
    let (_, get) = block.split_once("        run: |\n").unwrap();
    let (get, call) = get.split_once("      - run: ").unwrap();
    let call = call.lines().next().unwrap();
    assert!(call.starts_with("exec build_status run "), "{call}");
    assert!(get.contains(RELEASE), "{get}");
    let temp = directory("runner-temp");
    let (path, release) = (temp.join("path"), release("release-for-github"));
    shell(
        &format!("set -e\n{}", get.replace(RELEASE, &release)),
        &temp,
    )
    .env("RUNNER_TEMP", &temp)
    .env("GITHUB_PATH", &path)
    .run()
    .exits(0);
    let added = std::fs::read_to_string(path).unwrap();
    assert_eq!(added.trim(), temp.to_str().unwrap());
    for (code, state) in [(0, "SUCCESSFUL"), (3, "FAILED")] {
        let bitbucket = StandIn::start();
        let script = call.replace("make test", &format!("sh -c 'exit {code}'"));
        let script = format!("PATH={}:/usr/bin:/bin\n{script}", added.trim());
        step(&script, &block, "", &bitbucket).run().exits(code);
        reported(&bitbucket, state);
    }
}

/// The runner signals the shell of the step, and nobody else.
#[test]
fn a_job_that_is_cancelled_is_stopped_because_of_exec() {
    let block = block("# .github/workflows/run.yml");
    let (_, call) = block.rsplit_once("- run: ").unwrap();
    let script = call
        .lines()
        .next()
        .unwrap()
        .replace("make test", "sleep 60");
    let bitbucket = StandIn::start();
    // Two lines, or the shell would replace itself without being told.
    let mut step = step(&format!("true\n{script}"), &block, "", &bitbucket);
    let mut runs = step.command().spawn().unwrap();
    let started = Instant::now();
    while bitbucket.history().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(20), "no INPROGRESS");
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = Command::new("kill")
        .args(["-INT", &runs.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(runs.wait().unwrap().code(), Some(130));
    reported(&bitbucket, "STOPPED");
}
