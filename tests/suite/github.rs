//! The steps on docs/github.md that use no action, as GitHub's runner would start them: those with it are
//! run by .ci/action.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use stand_in::{DEFAULT_COMMIT, DEFAULT_TOKEN, StandIn};

use crate::jenkins::{RELEASE, release};
use crate::support::{Ran, Reporter, directory, only_status, shell};

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
            "${{ strategy.job-total }}" => "6",
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

/// The steps of the page's workflow: the one that gets the program, and the call.
fn one_command() -> (String, String, String) {
    let block = block("# .github/workflows/run.yml");
    let (_, steps) = block.split_once("        run: |\n").unwrap();
    let (get, call) = steps.split_once("      - run: ").unwrap();
    let call = call.lines().next().unwrap().to_owned();
    assert!(call.starts_with("exec build_status run "), "{call}");
    (get.to_owned(), call, block)
}

/// A call of the runner's `shell: bash`.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell>
fn bash(script: &str, temp: &Path) -> String {
    let file = temp.join("step.sh");
    std::fs::write(&file, script).unwrap();
    let file = file.to_str().unwrap();
    format!("exec bash --noprofile --norc -eo pipefail {file}")
}

/// The first step, on a runner that is like this.
fn get(release: &str, os: &str, arch: &str) -> (PathBuf, Ran) {
    let temp = directory(&format!("runner-temp-{os}-{arch}"));
    let (get, _, _) = one_command();
    assert!(get.contains(RELEASE), "{get}");
    let script = get.replace(RELEASE, release);
    let ran = shell(&bash(&script, &temp), &temp)
        .env("RUNNER_OS", os)
        .env("RUNNER_ARCH", arch)
        .env("RUNNER_TEMP", &temp)
        .env("GITHUB_PATH", temp.join("path"))
        .run();
    (temp, ran)
}

/// A release with a file for each platform.
fn release_for_all(name: &str) -> String {
    let url = release(name);
    let folder = Path::new(url.strip_prefix("file://").unwrap());
    let script = "
        linux=build_status-x86_64-unknown-linux-gnu
        for target in aarch64-unknown-linux-gnu x86_64-apple-darwin aarch64-apple-darwin; do
            cp -R $linux build_status-$target
            tar -czf build_status-$target.tgz build_status-$target
        done
        windows=build_status-x86_64-pc-windows-msvc
        mkdir $windows && cp $linux/build_status $windows/build_status.exe
        python3 -m zipfile -c $windows.zip $windows
        sha256sum *.tgz *.zip >SHA256SUMS";
    shell(&format!("set -e{script}"), folder)
        .within(folder)
        .run()
        .exits(0);
    url
}

#[test]
fn the_workflow_of_one_command_gets_the_file_of_each_runner() {
    let release = release_for_all("release-for-github");
    for (os, arch, file) in [
        ("Linux", "X64", "x86_64-unknown-linux-gnu.tgz"),
        ("Linux", "ARM64", "aarch64-unknown-linux-gnu.tgz"),
        ("macOS", "X64", "x86_64-apple-darwin.tgz"),
        ("macOS", "ARM64", "aarch64-apple-darwin.tgz"),
        ("Windows", "X64", "x86_64-pc-windows-msvc.zip"),
        ("Windows", "ARM64", "x86_64-pc-windows-msvc.zip"),
    ] {
        let (temp, ran) = get(&release, os, arch);
        let ran = ran.exits(0);
        let file = format!("build_status-{file}");
        assert_eq!(ran.stdout, format!("{file}: OK\n"), "{ran:?}");
        let suffix = if os == "Windows" { ".exe" } else { "" };
        assert!(temp.join(format!("build_status{suffix}")).exists());
        let added = std::fs::read_to_string(temp.join("path")).unwrap();
        assert_eq!(added.trim(), temp.to_str().unwrap());
    }

    let (_, ran) = get(&release, "Linux", "ARM");
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(1), "no release has a file for Linux on ARM\n")
    );

    let sums = Path::new(release.strip_prefix("file://").unwrap()).join("SHA256SUMS");
    let listed = std::fs::read_to_string(&sums).unwrap();
    std::fs::write(&sums, listed.replace(|it: char| it.is_ascii_digit(), "0")).unwrap();
    for os in ["Linux", "macOS", "Windows"] {
        let (temp, ran) = get(&release, os, "X64");
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(!temp.join("path").exists());
    }
}

#[test]
fn the_workflow_of_one_command_reports_its_end() {
    let (_, call, block) = one_command();
    let temp = directory("runner-temp-of-one-command");
    for (code, state) in [(0, "SUCCESSFUL"), (3, "FAILED")] {
        let script = call.replace("npm test", &format!("sh -c 'exit {code}'"));
        let call = bash(&script, &temp);
        let bitbucket = StandIn::start();
        step(&call, &block, "", &bitbucket).run().exits(code);
        reported(&bitbucket, state);

        // As in a pull request from a fork.
        let bitbucket = StandIn::start();
        let ran = step(&call, &block, "", &bitbucket)
            .env("BITBUCKET_ACCESS_TOKEN", "")
            .run()
            .exits(code);
        assert!(ran.stderr.contains("no credentials"), "{ran:?}");
        assert!(bitbucket.history().is_empty());
    }
}

/// The runner signals the shell of the step, and nobody else.
#[test]
fn a_job_that_is_cancelled_is_stopped_because_of_exec() {
    let (_, call, block) = one_command();
    let temp = directory("runner-temp-of-a-cancelled-job");
    // Two lines, or the shell would replace itself without being told.
    let script = format!("true\n{}", call.replace("npm test", "sleep 60"));
    let bitbucket = StandIn::start();
    let mut step = step(&bash(&script, &temp), &block, "", &bitbucket);
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
