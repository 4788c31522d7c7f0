//! `build_status check`: tests everything that a report depends on, without changing anything.

mod findings;
mod questions;
mod scopes;

use crate::bitbucket::auth;
use crate::bitbucket::locate;
use crate::cli::{Options, Output, meant_variable};
use crate::command::check::findings::Findings;
use crate::command::check::questions::{QUESTION, Questions};
use crate::command::plan::Plan;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::gitlab::reader::Reader;
use crate::gitlab::server::GitLab;
use crate::output::Exit;
use crate::output::log::Log;
use crate::report::Claim;
use crate::status::product::Product;

/// Asks all questions, even after a failure, and prints the answers.
pub(super) fn run(options: &Options, env: &Env, mut log: Log<'_>) -> Exit {
    let mut findings = Findings::default();
    let deadline = Deadline::after(options.network.timeout);
    match Plan::new(options, env, deadline, &mut log) {
        Ok(plan) => {
            ask(&plan, env, deadline, &mut log, &mut findings);
            ask_gitlab(&plan, options, env, &mut log, &mut findings);
        }
        Err(error) => findings.fail("ci", &error),
    }
    Exit {
        code: findings.code(),
        ..Exit::printed(match options.print.output {
            Output::Text => findings.text(log.redactor()),
            Output::Json => findings.json(log.redactor()),
        })
    }
}

fn ask(plan: &Plan<'_>, env: &Env, deadline: Deadline, log: &mut Log<'_>, findings: &mut Findings) {
    let claim = plan.claim();
    ask_ci(plan, findings);
    ask_variables(env, findings);
    ask_state(env, &claim, findings);
    let from = |option: &'static str| {
        let origin = claim.origin(option);
        move |value: &String| format!("{value} (from {origin})")
    };
    let commit = findings.result("commit", claim.commit(), from("commit"));
    let limits = plan.product().limits();
    let destination = findings.result("repository", plan.destination.clone(), |destination| {
        let (repository, url) = (destination.repository(), destination.url());
        let origin = claim.origin("repository");
        format!("{repository} on {} ({url}; from {origin})", limits.product)
    });
    findings.result("url", claim.url(), from("url"));
    ask_refname(&claim, findings);
    match (claim.key(), claim.key_warning(), claim.namesakes()) {
        (Ok(_), Some(warning), _) => {
            findings.warn(
                "key",
                warning,
                "pass a shorter --key, or accept the shortened one",
            );
        }
        (Ok(key), None, Some(warning)) => findings.warn("key", from("key")(&key), warning),
        (key, ..) => drop(findings.result("key", key, from("key"))),
    }
    if claim.product == Product::DataCenter {
        let parent = claim.parent().map_or_else(|| claim.key(), Ok);
        findings.result("parent", parent, from("parent"));
    }
    let credentials = findings.result("credentials", plan.credentials.clone(), |it| {
        format!("{} (from {})", it.describe(), auth::origin(it, env))
    });

    let repository_known = destination.is_some();
    let Some(destination) = destination.or_else(|| locate::without_repository(claim.options).ok())
    else {
        for question in ["server", "token", "access", "on server"] {
            findings.not_asked(question, "the server is unknown");
        }
        return;
    };
    match plan.client(&destination) {
        Ok(client) => Questions {
            deadline,
            client: &client,
            destination: &destination,
            repository_known,
            credentials,
            log,
            findings,
            refused: false,
        }
        .ask_all(commit.as_deref()),
        Err(error) => findings.fail("server", &error),
    }
}

/// A misspelt variable is one that is not set, which nobody sees.
fn ask_variables(env: &Env, findings: &mut Findings) {
    for name in env.names() {
        if let Some(meant) = meant_variable(name).filter(|meant| env.get(meant).is_none()) {
            let hint = format!("rename it, if {meant} is meant");
            findings.warn(
                "variables",
                format!("{name} is not a variable of build_status"),
                &hint,
            );
        }
    }
}

/// Without a refname, Bitbucket does not show the status in all the places where it looks for one.
fn ask_refname(claim: &Claim<'_>, findings: &mut Findings) {
    let origin = claim.origin("refname");
    match claim.refname() {
        Ok(Some(refname)) => findings.ok("refname", format!("{} (from {origin})", refname.full())),
        Ok(None) => findings.warn(
            "refname",
            "unknown: pull requests and merge checks may not find the status",
            "pass --refname BRANCH or set BUILD_STATUS_REFNAME",
        ),
        Err(error) => findings.fail("refname", &error),
    }
}

/// Asks what `sync` would need, in a job that has what it takes to ask. A report from the job itself
/// does without, so that nothing here is a failure.
fn ask_gitlab(
    plan: &Plan<'_>,
    options: &Options,
    env: &Env,
    log: &mut Log<'_>,
    findings: &mut Findings,
) {
    let pipeline = env.get("CI_PIPELINE_ID").and_then(|id| id.parse().ok());
    let is_gitlab = plan.info.is_some_and(|info| info.id == "gitlab");
    let (Some(pipeline), true) = (pipeline, is_gitlab && env.get("CI_API_V4_URL").is_some()) else {
        return;
    };
    let asked = GitLab::of_job(options, env).and_then(|gitlab| {
        let mut reader = Reader::new(&gitlab, Deadline::after(QUESTION), log);
        match reader.first_job(pipeline)? {
            0 => Err(reader.no_jobs(pipeline)),
            _ => Ok(gitlab.token().describe()),
        }
    });
    match asked {
        Ok(token) => findings.ok(
            "gitlab",
            format!("{token} may read the pipeline's jobs, for sync"),
        ),
        Err(error) => {
            let answer = format!("sync would not work: {error}");
            findings.warn("gitlab", answer, &error.hint().unwrap_or_default());
        }
    }
}

fn ask_ci(plan: &Plan<'_>, findings: &mut Findings) {
    let Some(info) = plan.info else {
        let hint = "run this in a CI job, or pass --commit, --url, --repository and --key";
        findings.warn("ci", "none recognised", hint);
        return;
    };
    let answer = format!("{} ({})", info.name, info.id);
    match &plan.context.unreadable {
        None => findings.ok("ci", answer),
        Some(unreadable) => findings.warn(
            "ci",
            format!("{answer}; {unreadable}"),
            "in a container, mount that file at the path in the variable",
        ),
    }
}

fn ask_state(env: &Env, claim: &Claim<'_>, findings: &mut Findings) {
    let word = env.get("BUILD_STATUS");
    match claim.state(word) {
        Ok(state) => match claim.info.filter(|_| word.is_none()) {
            Some(info) => findings.ok("state", format!("{state} ({})", info.state_caveat)),
            None => findings.ok("state", state.to_string()),
        },
        Err(error @ Error::UnknownState { .. }) => findings.fail("state", &error),
        Err(_) => findings.warn(
            "state",
            "unknown here",
            // A CI with a variable may set it only in the step that reports.
            match claim.info.filter(|info| info.state.is_none()) {
                Some(info) => info.state_caveat,
                None => "pass it as an argument when you report: build_status passed",
            },
        ),
    }
}
