//! `build_status context`: prints what the CI says.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::ci::context::Context;
use crate::ci::git;
use crate::ci::provider::{self, ProviderInfo};
use crate::cli::{Options, Output};
use crate::deadline::Deadline;
use crate::env::Env;
use crate::output::log::Log;
use crate::output::{Exit, line, printable_json};
use crate::secret::Redactor;
use crate::status::commit::DetectedCommit;
use crate::status::repository::Repository;
use crate::status::url;

/// Prints what the CI says, without network or credentials.
pub(super) fn run(options: &Options, env: &Env, mut log: Log<'_>) -> Exit {
    let (info, mut context) = match provider::read(options.provider.as_deref(), env) {
        Ok(read) => read,
        Err(error) => {
            log.error(&error, false);
            return Exit::failed(&error);
        }
    };
    // Only what the CI says is printed, so that git is not asked outside a CI.
    if info.is_some() {
        let deadline = Deadline::after(Duration::from_secs(2));
        git::complete(&mut context, true, env, deadline);
    }
    if let Some(unreadable) = &context.unreadable {
        log.warn(unreadable);
    }
    let print = match options.print.output {
        Output::Text => text,
        Output::Json => json,
    };
    Exit::printed(print(info, &context, log.redactor()))
}

/// The context as text: one line for each field.
pub fn text(info: Option<&ProviderInfo>, context: &Context, redactor: &Redactor) -> String {
    let provider = info.map(|info| format!("{} ({})", info.id, info.name));
    let commit = match &context.commit {
        DetectedCommit::Hash(hash) => Some(hash.clone()),
        DetectedCommit::Refused { reason, .. } => Some(format!("- ({reason})")),
        DetectedCommit::Nothing => None,
    };
    let repository = context.repository.as_ref();
    let state = context.state.map(|state| state.to_string());
    let fields = [
        ("provider", provider),
        ("commit", commit),
        ("branch", context.branch.clone()),
        ("tag", context.tag.clone()),
        ("repository", repository.map(Repository::path)),
        ("repository host", repository.and_then(|it| it.host.clone())),
        ("job name", context.job_name.clone()),
        ("url", context.url.as_deref().map(url::without_user)),
        (
            "pipeline url",
            context.pipeline_url.as_deref().map(url::without_user),
        ),
        ("build number", context.build_number.clone()),
        ("pull request", context.pull_request.clone()),
        ("state", state),
    ];
    let mut text = String::new();
    for (name, value) in fields {
        let value = line(value.as_deref().unwrap_or("-"), redactor);
        let _ = writeln!(text, "{name:<15} {value}");
    }
    if let Some(ProviderInfo {
        state: Some(variable),
        state_caveat,
        ..
    }) = info
    {
        let _ = writeln!(text, "{:<15} ({variable}: {state_caveat})", "");
    }
    text
}

/// The context as one JSON object on one line.
pub fn json(info: Option<&ProviderInfo>, context: &Context, redactor: &Redactor) -> String {
    #[derive(Serialize)]
    struct Fields<'a> {
        provider: Option<&'a str>,
        provider_name: Option<&'a str>,
        #[serde(flatten)]
        context: &'a Context,
    }
    let fields = Fields {
        provider: info.map(|info| info.id),
        provider_name: info.map(|info| info.name),
        context,
    };
    printable_json(&fields, redactor)
}
