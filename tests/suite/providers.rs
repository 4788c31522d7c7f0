//! Every CI against its fixtures: `tests/providers/<id>.json` holds cases of a real or documented
//! environment and what is to be read from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use build_status::env::Env;
use build_status::provider::{self, PROVIDERS};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::support::build_status;

#[derive(Deserialize)]
struct Case {
    /// What it shows, and where it comes from.
    case: String,
    env: BTreeMap<String, String>,
    /// The fields that are known. Those left out must be null.
    context: Map<String, Value>,
}

fn fixtures() -> BTreeMap<String, Vec<Case>> {
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
        let text = text.replace("$FILES", beside.to_str().unwrap());
        let cases = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{id}: {error}"));
        (id, cases)
    };
    json.map(read).collect()
}

#[test]
fn every_ci_has_a_fixture_file_and_every_file_a_ci() {
    let ids: BTreeSet<_> = PROVIDERS
        .iter()
        .map(|entry| entry.about.id.to_owned())
        .collect();
    assert_eq!(fixtures().into_keys().collect::<BTreeSet<_>>(), ids);
    let order: Vec<_> = PROVIDERS.iter().map(|entry| entry.about.id).collect();
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn every_fixture_gives_its_whole_context_and_fits_one_ci_only() {
    for (id, cases) in fixtures() {
        assert!(!cases.is_empty(), "{id}");
        for Case { case, env, context } in cases {
            let snapshot: Env = env.iter().collect();
            let found = provider::find(None, &snapshot)
                .unwrap_or_else(|error| panic!("{id}: {case}: {error}"));
            let about = &found
                .unwrap_or_else(|| panic!("{id}: {case}: not found"))
                .about;
            assert_eq!(about.id, id, "{case}");

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
            expected.insert("provider_name".into(), about.name.into());
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
            .map(|entry| entry.about.id)
    };
    assert_eq!(found(&[codebuild]), Some("codebuild"));
    assert_eq!(found(&[codebuild, ("GITLAB_CI", "true")]), Some("gitlab"));
    let github = ("GITHUB_ACTIONS", "true");
    assert_eq!(found(&[codebuild, github]), Some("github"));
}
