//! The script of GitLab's page, run beside the binary: same environment, same call.
//!
//! `tests/script.sh` was written from a description of that script (what it reads, what it sends),
//! and has its faults.

#![cfg(unix)]

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use stand_in::{DEFAULT_TOKEN, DEFAULT_USER, Received, Setup, StandIn};

use crate::support::{GITLAB, build_status};

/// What the script is given; `BUILD_STATUS` comes on top.
fn environment() -> Vec<(&'static str, String)> {
    let own = [
        ("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN),
        ("BITBUCKET_USERNAME", DEFAULT_USER),
        ("BITBUCKET_NAMESPACE", "my-workspace"),
        ("BITBUCKET_REPOSITORY", "my-repo"),
    ];
    let all = GITLAB.iter().chain(&own);
    all.map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

fn by_script(bitbucket: &StandIn, variables: &[(&str, String)]) -> Received {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/script.sh");
    let status = Command::new("bash")
        .arg(script)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("API_ROOT", bitbucket.api_root())
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .status();
    assert!(status.expect("bash and curl are there").success());
    bitbucket
        .received()
        .pop()
        .expect("the script has sent something")
}

fn by_binary(bitbucket: &StandIn, variables: &[(&str, String)]) -> Received {
    let mut reporter = build_status::<&str>([]).env("BITBUCKET_API_ROOT", bitbucket.api_root());
    for (name, value) in variables {
        reporter = reporter.env(name, value);
    }
    reporter.run().exits(0);
    bitbucket.received().pop().unwrap()
}

#[test]
fn the_binary_sends_what_the_script_sends_and_name_and_refname_on_top() {
    let bitbucket = Setup::default()
        .credential(stand_in::Credential::basic(DEFAULT_USER, DEFAULT_TOKEN))
        .start();
    for status in ["running", "passed", "failed"] {
        for defaults in [false, true] {
            let mut variables = environment();
            variables.push(("BUILD_STATUS", status.to_owned()));
            if defaults {
                // the script then takes GitLab's namespace and project
                variables.retain(|(name, _)| {
                    !matches!(*name, "BITBUCKET_NAMESPACE" | "BITBUCKET_REPOSITORY")
                });
            }
            let script = by_script(&bitbucket, &variables);
            let binary = by_binary(&bitbucket, &variables);
            assert_eq!(
                (&binary.method, &binary.path),
                (&script.method, &script.path)
            );
            for header in ["authorization", "content-type"] {
                assert_eq!(binary.header(header), script.header(header), "{header}");
            }
            let (mut binary, script) = (binary.json(), script.json());
            let binary = binary.as_object_mut().unwrap();
            assert_eq!(binary.remove("name"), Some(Value::from("unit-tests #17")));
            assert_eq!(binary.remove("refname"), Some(Value::from("main")));
            assert_eq!(&Value::from(binary.clone()), &script);
        }
    }
    let pair = BASE64_STANDARD.encode(format!("{DEFAULT_USER}:{DEFAULT_TOKEN}"));
    let expected = format!("Basic {pair}");
    assert!(
        bitbucket
            .received()
            .iter()
            .all(|it| it.header("authorization") == Some(&expected))
    );
}

/// So that the comparison above is with what it says it is.
#[test]
fn the_script_has_the_faults_that_the_binary_is_there_for() {
    let bitbucket = StandIn::start();
    let mut variables = environment();
    variables.push(("BUILD_STATUS", "passed".to_owned()));
    let with = |name: &'static str, value: &str| {
        let mut variables = variables.clone();
        variables.retain(|(other, _)| *other != name);
        variables.push((name, value.to_owned()));
        by_script(&bitbucket, &variables)
    };
    // Each is refused, and the script exits with 0.
    let quote = with("CI_JOB_NAME", "say \"hi\"");
    assert!(serde_json::from_str::<Value>(&quote.body).is_err());
    let long = with("CI_JOB_NAME", "test: [a long, and long, matrix]");
    assert!(long.json()["key"].as_str().unwrap().len() > 40);
    assert_eq!(with("BUILD_STATUS", "canceled").json()["state"], "");
    let nested = with("BITBUCKET_NAMESPACE", "group/sub");
    assert!(nested.path.contains("/group/sub/my-repo/"));
    assert_eq!(bitbucket.history().len(), 0);
}
