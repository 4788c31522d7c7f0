//! Every CI against its fixtures: `tests/providers/<id>.json` holds cases of a real or documented
//! environment and what is to be read from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use build_status::ci::provider::{self, PROVIDERS};
use build_status::env::Env;
use build_status::status::state::State;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::support::build_status;

#[derive(Deserialize)]
pub(crate) struct Case {
    /// What it shows, and where it comes from.
    pub(crate) case: String,
    pub(crate) env: BTreeMap<String, String>,
    /// The fields that are known. Those left out must be null.
    context: Map<String, Value>,
}

pub(crate) fn fixtures() -> BTreeMap<String, Vec<Case>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/providers");
    let files = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|it| it == "json"));
    let read = |path: std::path::PathBuf| {
        let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        // Some variables name files, which are in the folder beside.
        let beside = path.with_file_name("files");
        let beside = beside.to_str().unwrap().replace('\\', "/");
        let text = text.replace("$FILES", &beside);
        let cases = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{id}: {error}"));
        (id, cases)
    };
    json.map(read).collect()
}

#[test]
fn every_ci_has_a_fixture_file_and_every_file_a_ci() {
    let ids: BTreeSet<_> = PROVIDERS
        .iter()
        .map(|entry| entry.info.id.to_owned())
        .collect();
    let files: BTreeSet<_> = fixtures().into_keys().collect();
    let missing: Vec<_> = ids.difference(&files).collect();
    assert!(
        missing.is_empty(),
        "there is no tests/providers/ID.json for {missing:?}"
    );
    let left_over: Vec<_> = files.difference(&ids).collect();
    assert!(
        left_over.is_empty(),
        "there is no line in src/provider/mod.rs for {left_over:?}"
    );
    let order: Vec<_> = PROVIDERS.iter().map(|entry| entry.info.id).collect();
    assert!(
        order.is_sorted(),
        "the table is not in the order of ids: {order:?}"
    );
}

#[test]
fn every_fixture_gives_its_whole_context_and_fits_one_ci_only() {
    for (id, cases) in fixtures() {
        assert!(!cases.is_empty(), "{id}");
        for Case { case, env, context } in cases {
            let snapshot: Env = env.iter().collect();
            let found = provider::find(None, &snapshot)
                .unwrap_or_else(|error| panic!("{id}: {case}: {error}"));
            let info = &found
                .unwrap_or_else(|| panic!("{id}: {case}: not found"))
                .info;
            assert_eq!(info.id, id, "{case}");

            let env: Vec<_> = env
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let ran = build_status(["context", "--output", "json"])
                .envs(&env)
                .run()
                .exits(0);
            let mut expected = context;
            expected.insert("provider".into(), id.clone().into());
            expected.insert("provider_name".into(), info.name.into());
            let actual = ran.json();
            for name in actual.as_object().unwrap().keys() {
                expected.entry(name).or_insert(Value::Null);
            }
            assert_eq!(actual, Value::from(expected), "{id}: {case}");
        }
    }
}

#[test]
fn a_ci_that_nobody_knows_is_none() {
    for variables in [
        &[][..],
        &[("CI", "true")],
        &[
            ("CI", "true"),
            ("CI_COMMIT_SHA", "x"),
            ("CI_JOB_STATUS", "success"),
        ],
        &[("GITLAB_CI", "")],
    ] {
        let env: Env = variables.iter().copied().collect();
        assert!(
            provider::find(None, &env).unwrap().is_none(),
            "{variables:?}"
        );
    }
}

#[test]
fn gitlabs_and_githubs_jobs_on_codebuilds_machines_are_not_codebuilds() {
    let codebuild = ("CODEBUILD_BUILD_ID", "p:1");
    let found = |variables: &[(&str, &str)]| {
        let env: Env = variables.iter().copied().collect();
        provider::find(None, &env)
            .unwrap()
            .map(|entry| entry.info.id)
    };
    assert_eq!(found(&[codebuild]), Some("codebuild"));
    assert_eq!(found(&[codebuild, ("GITLAB_CI", "true")]), Some("gitlab"));
    let github = ("GITHUB_ACTIONS", "true");
    assert_eq!(found(&[codebuild, github]), Some("github"));
}

#[test]
fn the_twelve_digits_of_bitbucket_pipelines_are_completed_or_sent_to_cloud_as_they_are() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("twelve digits");
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=x", "-c", "user.email=x@example.com"]);
        let output = git.arg("-C").arg(&directory).args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir(&directory).unwrap();
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message=x"]);
    let hash = git(&["rev-parse", "HEAD"]);
    let short = &hash[..12];

    let path = std::env::var("PATH").unwrap();
    let report = |directory: &str, path: &str| {
        build_status(["passed", "--dry-run", "--output", "json"])
            .env("BITBUCKET_BUILD_NUMBER", "5")
            .env("BITBUCKET_REPO_FULL_NAME", "my-workspace/my-repo")
            .env("BITBUCKET_COMMIT", short)
            .env("BITBUCKET_CLONE_DIR", directory)
            .env("PATH", path)
    };
    let sent = |directory, path| report(directory, path).run().exits(0).json()["commit"].clone();
    assert_eq!(sent(directory.to_str().unwrap(), &path), hash);
    assert_eq!(sent("/nosuch", &path), short);
    assert_eq!(sent(directory.to_str().unwrap(), "/nosuch"), short);
    let to_data_center = report("/nosuch", &path)
        .env("BITBUCKET_SERVER_URL", "https://bitbucket.example.com")
        .env("BITBUCKET_NAMESPACE", "PROJ")
        .env("BITBUCKET_REPOSITORY", "repo")
        .run()
        .exits(3);
    assert!(to_data_center.stderr.contains(short), "{to_data_center:?}");
}

/// A CI may invent words, and people give jobs any name.
#[test]
fn no_value_of_any_variable_keeps_a_ci_from_being_read() {
    let long = "x".repeat(10_000);
    for (id, cases) in fixtures() {
        let entry = PROVIDERS.iter().find(|entry| entry.info.id == id).unwrap();
        for Case { env, .. } in cases {
            for name in env.keys() {
                for value in ["", "weird", "-1", "false", "\u{1b}[0m\n", "é{}/:^%", &long] {
                    let mut env = env.clone();
                    env.insert(name.clone(), value.to_owned());
                    let read = entry.context(&env.into_iter().collect());
                    let context =
                        read.unwrap_or_else(|error| panic!("{id}: {name}={value}: {error}"));
                    // What nobody knows is never green.
                    let is_state = entry.info.state == Some(name.as_str());
                    let green = context.state == Some(State::Successful);
                    assert!(!(is_state && value == "weird" && green), "{id}: {name}");
                }
            }
        }
    }
}

/// Else a re-run would not overwrite what the run before has said.
#[test]
fn no_counter_of_runs_is_in_a_jobs_name() {
    // These tell siblings apart, and stay the same when a run is repeated.
    let siblings = [
        "TRAVIS_JOB_NUMBER",
        "CI_WORKFLOW_NUMBER",
        "AC_BUILD_PROFILE_ID",
    ];
    let counters = [
        "_ID",
        "_IID",
        "_NUMBER",
        "_NUM",
        "_ATTEMPT",
        "BUILDNUMBER",
        "BUILDID",
        "_RUN",
    ];
    let other = |value: &str| -> String {
        let next = |c: char| match c {
            '9' => '0',
            '0'..='8' => char::from_u32(u32::from(c) + 1).unwrap(),
            c => c,
        };
        value.chars().map(next).collect()
    };
    let mut changed = 0;
    for (id, cases) in fixtures() {
        let entry = PROVIDERS.iter().find(|entry| entry.info.id == id).unwrap();
        for Case { case, env, .. } in cases {
            let name = |env: &BTreeMap<String, String>| {
                let env: Env = env.iter().collect();
                entry.context(&env).unwrap().job_name
            };
            for (variable, value) in &env {
                let upper = variable.to_uppercase();
                let counts = counters.iter().any(|end| upper.ends_with(end));
                if counts && !siblings.contains(&upper.as_str()) {
                    let mut rerun = env.clone();
                    rerun.insert(variable.clone(), other(value));
                    assert_eq!(name(&rerun), name(&env), "{id}: {case}: {variable}");
                    changed += 1;
                }
            }
        }
    }
    assert!(changed > 200, "{changed}");
}
