//! The files in docs/ci.md: each of their calls is made as its CI would make it, and the statuses that
//! arrive are those of one job that passes and one that fails.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use build_status::ci::provider::PROVIDERS;
use stand_in::{DEFAULT_COMMIT, DEFAULT_TOKEN, Setup, StandIn};

use crate::providers::fixtures;
use crate::support::shell;

/// These have a page.
const ELSEWHERE: [&str; 3] = ["codebuild", "github", "gitlab"];

/// How a CI goes about its file.
struct Ci {
    /// The heading of its section, where it is no known CI but one whose jobs have no variables.
    name: Option<&'static str>,
    id: &'static str,
    /// How the case begins that the environment is taken from. The first one, if it is empty.
    case: &'static str,
    /// The variable that holds the job's state, with its words for passed and failed.
    state: Option<(&'static str, [&'static str; 2])>,
    /// The variable that names the step, and so is another one in each.
    step: Option<&'static str>,
    /// The variable that names the clone, where it is the clone that leads to Bitbucket.
    clone: Option<&'static str>,
    /// Under which name the job has the secret.
    secret: &'static str,
    /// What the CI replaces before a shell sees it, in a job that passed and in one that failed.
    replaced: &'static [(&'static str, [&'static str; 2])],
}

const CI: Ci = Ci {
    name: None,
    id: "",
    case: "",
    state: None,
    step: None,
    clone: None,
    secret: "BITBUCKET_ACCESS_TOKEN",
    replaced: &[],
};

const JOB_STATUS: &[(&str, [&str; 2])] = &[("${{ job.status }}", ["success", "failure"])];

const CIS: &[Ci] = &[
    Ci {
        id: "appcircle",
        state: Some(("AC_BUILD_STATUS", ["Success", "Failed"])),
        ..CI
    },
    Ci {
        id: "appveyor",
        case: "push on Bitbucket Cloud",
        ..CI
    },
    Ci {
        id: "azure",
        case: "push to Bitbucket",
        state: Some(("AGENT_JOBSTATUS", ["Succeeded", "Failed"])),
        ..CI
    },
    Ci {
        id: "bamboo",
        state: Some(("bamboo_buildFailed", ["false", "true"])),
        secret: "bamboo_BITBUCKET_TOKEN_SECRET",
        ..CI
    },
    Ci {
        id: "bitbucket",
        state: Some(("BITBUCKET_EXIT_CODE", ["0", "1"])),
        ..CI
    },
    Ci {
        id: "bitrise",
        state: Some(("BITRISE_BUILD_STATUS", ["0", "1"])),
        ..CI
    },
    Ci {
        id: "buildkite",
        state: Some(("BUILDKITE_COMMAND_EXIT_STATUS", ["0", "2"])),
        ..CI
    },
    Ci {
        id: "circleci",
        case: "push to Bitbucket",
        ..CI
    },
    Ci { id: "cirrus", ..CI },
    Ci {
        id: "cloudbuild",
        ..CI
    },
    Ci {
        id: "codefresh",
        step: Some("CF_STEP_NAME"),
        ..CI
    },
    Ci {
        id: "codemagic",
        clone: Some("CM_BUILD_DIR"),
        ..CI
    },
    Ci {
        id: "concourse",
        case: "task",
        replaced: &[("$(cat repo/.git/ref)", [DEFAULT_COMMIT; 2])],
        ..CI
    },
    Ci {
        id: "drone",
        state: Some(("DRONE_STAGE_STATUS", ["success", "failure"])),
        step: Some("DRONE_STEP_NAME"),
        ..CI
    },
    Ci {
        id: "forgejo",
        replaced: JOB_STATUS,
        ..CI
    },
    Ci {
        id: "gitea",
        replaced: JOB_STATUS,
        ..CI
    },
    Ci {
        id: "harness",
        state: Some(("DRONE_STAGE_STATUS", ["success", "failed"])),
        step: Some("DRONE_STEP_NAME"),
        ..CI
    },
    Ci {
        id: "jenkins",
        case: "multibranch Pipeline, a branch",
        replaced: &[("${currentBuild.currentResult}", ["SUCCESS", "FAILURE"])],
        ..CI
    },
    Ci { id: "puppet", ..CI },
    Ci {
        id: "semaphore",
        state: Some(("SEMAPHORE_JOB_RESULT", ["passed", "failed"])),
        ..CI
    },
    Ci {
        id: "teamcity",
        case: "branch, repository and more",
        replaced: &[("%teamcity.build.step.status.test%", ["success", "failure"])],
        ..CI
    },
    Ci {
        id: "travis",
        clone: Some("TRAVIS_BUILD_DIR"),
        state: Some(("TRAVIS_TEST_RESULT", ["0", "1"])),
        ..CI
    },
    Ci {
        id: "woodpecker",
        state: Some(("CI_PIPELINE_STATUS", ["success", "failure"])),
        step: Some("CI_STEP_NAME"),
        ..CI
    },
    Ci {
        name: Some("Tekton"),
        replaced: &[
            ("$(tasks.status)", ["Succeeded", "Failed"]),
            ("$(params.revision)", [DEFAULT_COMMIT; 2]),
            ("$(params.branch)", ["main"; 2]),
            ("$(params.run)", ["test-x7k2p"; 2]),
        ],
        ..CI
    },
    Ci {
        name: Some("Tekton"), // timed out, cancelled
        replaced: &[
            ("$(tasks.status)", ["Succeeded", "None"]),
            ("$(params.revision)", [DEFAULT_COMMIT; 2]),
            ("$(params.branch)", ["main"; 2]),
            ("$(params.run)", ["test-x7k2p"; 2]),
        ],
        ..CI
    },
    Ci {
        name: Some("Argo Workflows"),
        replaced: &[
            ("{{workflow.status}}", ["Succeeded", "Error"]),
            ("{{workflow.parameters.revision}}", [DEFAULT_COMMIT; 2]),
            ("{{workflow.parameters.branch}}", ["main"; 2]),
            ("{{workflow.name}}", ["test-x7k2p"; 2]),
        ],
        ..CI
    },
];

impl Ci {
    fn name(&self) -> &'static str {
        let known = || PROVIDERS.iter().find(|entry| entry.info.id == self.id);
        self.name.unwrap_or_else(|| known().unwrap().info.name)
    }

    /// The environment of one of its jobs.
    fn env(&self) -> BTreeMap<String, String> {
        if self.name.is_some() {
            return BTreeMap::new();
        }
        let mut cases = fixtures().remove(self.id).unwrap().into_iter();
        cases.find(|it| it.case.starts_with(self.case)).unwrap().env
    }

    fn replace(&self, text: &str, how: How) -> String {
        let which = usize::from(how == How::Failed);
        self.replaced
            .iter()
            .fold(text.to_owned(), |text, (from, to)| {
                text.replace(from, to[which])
            })
    }
}

/// How a job went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    Passed,
    Failed,
    Stopped,
}

/// The blocks below a heading.
fn blocks(name: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md");
    let text = std::fs::read_to_string(path).unwrap();
    let heading = format!("\n## {name}\n");
    let (_, section) = text
        .split_once(&heading)
        .unwrap_or_else(|| panic!("docs/ci.md: no section {name}"));
    let section = section.split("\n## ").next().unwrap();
    let fenced = section.split("\n```").skip(1).step_by(2);
    fenced
        .map(|block| block.lines().map(str::to_owned).collect())
        .collect()
}

/// The scripts of a block in which the program is called: a shell script as a whole, a YAML text of
/// several lines, or what stands in one line. Without what lets a job pass all the same, so that nothing is
/// lost.
fn scripts(block: &[String]) -> Vec<String> {
    let strict = |text: &str| text.replace(" || echo not reported", "");
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (language, lines) = block.split_first().unwrap();
    if language == "sh" {
        return vec![strict(&lines.join("\n"))];
    }
    let mut scripts = Vec::new();
    let mut rest = lines;
    while let Some((line, mut after)) = rest.split_first() {
        let is_comment = line.trim_start().starts_with(['#', '/']);
        if line.ends_with(" |") {
            let inner = |it: &&String| it.is_empty() || indent(it) > indent(line);
            let end = after.iter().take_while(inner).count();
            let text = after[..end].join("\n");
            after = &after[end..];
            if text.contains("build_status") {
                scripts.push(strict(&text));
            }
        } else if let Some((before, _)) = line.split_once("build_status")
            && !is_comment
        {
            let script = match before.chars().last() {
                // `sh 'build_status …'`, `scriptContent = "build_status …"`
                Some(quote @ ('\'' | '"')) => line[before.len()..].trim_end_matches(quote),
                // `- build_status …`, `command: build_status …`
                _ => {
                    let item = line.trim_start().trim_start_matches("- ");
                    let key = before.rfind(": ").map(|at| line[at + 2..].trim_start());
                    key.unwrap_or(item)
                }
            };
            scripts.push(strict(script));
        }
        rest = after;
    }
    scripts
}

/// What the file gives a name to: `NAME: value`, or `- name: NAME` and below it `value: …`.
fn values<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    let (plain, listed) = (format!("{name}: "), format!("- name: {name}"));
    let below = lines
        .iter()
        .skip(1)
        .map(|line| line.trim().strip_prefix("value: "));
    let pairs = lines.iter().zip(below.chain([None]));
    pairs
        .filter_map(|(line, below)| {
            let line = line.trim();
            line.strip_prefix(&plain)
                .or_else(|| below.filter(|_| line == listed))
        })
        .map(|value| value.trim_matches('"'))
        .collect()
}

/// A call, and the state that it is given by the variable BUILD_STATUS, if it is.
struct Call {
    script: String,
    state: Option<String>,
    variables: Vec<(&'static str, String)>,
}

impl Call {
    fn word(&self) -> &str {
        let argument = || self.script.split_once("build_status ")?.1.split(' ').next();
        let one_line = !self.script.contains('\n');
        let word = self
            .state
            .as_deref()
            .or_else(|| argument().filter(|_| one_line));
        word.unwrap_or_default()
    }

    fn is_made(&self, how: How) -> bool {
        match self.word() {
            "passed" => how == How::Passed,
            "failed" => how == How::Failed,
            "stopped" => how == How::Stopped,
            "running" => true,
            _ => how != How::Stopped,
        }
    }
}

fn calls(block: &[String]) -> Vec<Call> {
    let names = [
        "BITBUCKET_NAMESPACE",
        "BITBUCKET_REPOSITORY",
        "BUILD_STATUS_COMMIT",
        "BUILD_STATUS_KEY",
        "BUILD_STATUS_REFNAME",
        "BUILD_STATUS_URL",
    ];
    let value = |name| {
        values(block, name)
            .first()
            .map(|it| (name, (*it).to_owned()))
    };
    let variables: Vec<_> = names.into_iter().filter_map(value).collect();
    // A task that is used for start and end is given the state.
    let states: Vec<_> = match values(block, "state")[..] {
        [] => values(block, "BUILD_STATUS"),
        ref given => given.to_vec(),
    };
    let states = match states[..] {
        [] => vec![None],
        ref given => given.iter().map(|it| Some((*it).to_owned())).collect(),
    };
    let call = |script: &String, state: &Option<String>| Call {
        script: script.clone(),
        state: state.clone(),
        variables: variables.clone(),
    };
    let scripts = scripts(block);
    states
        .iter()
        .flat_map(|state| scripts.iter().map(move |script| call(script, state)))
        .collect()
}

/// A folder for a job: its home, a clone, and a `make` that ends with `code` once Bitbucket was told
/// something.
pub(crate) fn home(name: &str, how: How, code: i32) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("snippets {name} {how:?}"));
    let _ = std::fs::remove_dir_all(&home);
    std::fs::create_dir(&home).unwrap();
    for args in [
        &["init", "--quiet"][..],
        &["remote", "add", "origin", "git@bitbucket.org:ws/repo.git"],
    ] {
        let mut git = Command::new("git");
        assert!(
            git.current_dir(&home)
                .args(args)
                .status()
                .unwrap()
                .success()
        );
    }
    let make = home.join("make");
    // The program leaves a start out whose command has ended before it could be sent.
    let wait =
        "n=0; while [ ! -e \"$HOME/told\" ] && [ $n -lt 500 ]; do n=$((n + 1)); sleep 0.02; done";
    std::fs::write(
        &make,
        format!("#!/bin/sh\necho HTTPS_PROXY=$HTTPS_PROXY\n{wait}\nexit {code}\n"),
    )
    .unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&make, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    if how == How::Passed {
        std::fs::write(home.join("SUCCESS"), "").unwrap(); // Codemagic's last script
    }
    home
}

/// Makes the calls of a job that went like this, and returns what Bitbucket was told: keys and states.
fn job(ci: &Ci, how: How) -> Vec<(String, String)> {
    let name = ci.name();
    let code = i32::from(how != How::Passed);
    let home = home(name, how, code);
    let bitbucket: StandIn = Setup::default().any_commit().any_repository().start();
    let told = home.join("told");
    bitbucket.on_status(move |_| std::fs::write(&told, "").unwrap());
    let all: Vec<_> = blocks(name).iter().flat_map(|it| calls(it)).collect();
    let calls = all.iter().filter(|call| call.is_made(how));
    for (number, call) in calls.enumerate() {
        let mut env = ci.env();
        if let Some((variable, words)) = ci.state {
            env.insert(
                variable.to_owned(),
                words[usize::from(code == 1)].to_owned(),
            );
        }
        if let Some(step) = ci.step {
            env.insert(step.to_owned(), format!("step {number}"));
        }
        if let Some(clone) = ci.clone {
            env.insert(clone.to_owned(), home.to_str().unwrap().to_owned());
        }
        for (variable, value) in &call.variables {
            env.insert((*variable).to_owned(), ci.replace(value, how));
        }
        if let Some(state) = &call.state {
            env.insert("BUILD_STATUS".to_owned(), ci.replace(state, how));
        }
        let env: Vec<_> = env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let script = ci.replace(&call.script, how);
        let wraps = script.contains("build_status run ");
        let ran = shell(&script, &home)
            .envs(&env)
            .env("HOME", &home)
            .env("BITBUCKET_API_ROOT", bitbucket.api_root())
            .env(ci.secret, DEFAULT_TOKEN)
            .run();
        assert_eq!(
            ran.code,
            Some(if wraps { code } else { 0 }),
            "{name}, {how:?}: {script}: {ran:#?}"
        );
        ran.exits(if wraps { code } else { 0 });
    }
    let pair = |status: stand_in::Status| (status.key, status.state);
    bitbucket.history().into_iter().map(pair).collect()
}

#[test]
fn every_ci_has_a_file_in_docs_ci_or_a_page() {
    let known = PROVIDERS.iter().map(|entry| entry.info.id);
    let expected: Vec<_> = known.filter(|id| !ELSEWHERE.contains(id)).collect();
    let here: Vec<_> = CIS
        .iter()
        .map(|ci| ci.id)
        .filter(|id| !id.is_empty())
        .collect();
    assert_eq!(here, expected);
    for ci in CIS {
        let blocks = blocks(ci.name());
        assert!(!blocks.is_empty(), "{}", ci.name());
        for block in blocks {
            let first = block[1].trim_start_matches(['#', '/', ' ']);
            assert!(first.starts_with(&format!("{}: ", ci.name())), "{first}");
        }
    }
}

#[test]
fn every_file_in_docs_ci_writes_one_status_from_start_to_end() {
    for ci in CIS {
        for (how, end) in [(How::Passed, "SUCCESSFUL"), (How::Failed, "FAILED")] {
            let mut statuses = job(ci, how);
            statuses.dedup(); // where two calls are alternatives
            let states: Vec<_> = statuses.iter().map(|(_, state)| state.as_str()).collect();
            assert_eq!(
                states,
                ["INPROGRESS", end],
                "{}, {how:?}: {statuses:?}",
                ci.name()
            );
            assert_eq!(statuses[0].0, statuses[1].0, "{}: two keys", ci.name());
        }
    }
}

#[test]
fn a_job_of_concourse_that_is_aborted_is_stopped() {
    let concourse = CIS.iter().find(|ci| ci.id == "concourse").unwrap();
    let key = |state: &str| ("ci/test".to_owned(), state.to_owned());
    assert_eq!(
        job(concourse, How::Stopped),
        [key("INPROGRESS"), key("STOPPED")]
    );
}
