//! `build_status check`: every question that has to be answered well before a report arrives, asked
//! without changing anything.

mod findings;
mod inquiry;

use crate::Ending;
use crate::auth;
use crate::check::findings::Findings;
use crate::check::inquiry::Inquiry;
use crate::cli::{CheckArgs, Origins, Output};
use crate::client::Client;
use crate::context::Context;
use crate::destination::{Destination, Product};
use crate::env::Env;
use crate::error::Error;
use crate::git;
use crate::provider::{self, About};
use crate::report;
use crate::voice::Voice;

/// Asks all questions, even when one is answered badly.
pub fn run(args: &CheckArgs, env: &Env, log: &mut dyn FnMut(&str)) -> Ending {
    let mut voice = Voice::new(env, log, args.print.quiet, args.print.verbose);
    let mut findings = Findings::default();
    ask(args, env, &mut voice, &mut findings);
    Ending {
        stdout: match args.print.output {
            Output::Text => findings.text(voice.redactor()),
            Output::Json => findings.json(voice.redactor()),
        },
        stderr: String::new(),
        code: findings.code(),
    }
}

fn ask(args: &CheckArgs, env: &Env, voice: &mut Voice<'_>, findings: &mut Findings) {
    let (about, context) = ask_ci(args, env, findings);
    let origins = &args.origins;
    let allow_http = args.network.allow_http;
    ask_state(env, about, &context, findings);

    let to = &args.destination;
    let destination =
        Destination::find(to, origins, allow_http, &context, || git::remote(&context));
    let product = destination
        .as_ref()
        .map_or(Product::Cloud, Destination::product);
    let limits = product.limits();
    let commit = args.build.commit.as_deref();
    let commit = report::commit(commit, origins, &context, limits);
    let commit = findings.result("commit", commit, Clone::clone);
    let destination = findings.result("repository", destination, |destination| {
        format!(
            "{} on {} ({})",
            destination.repository(),
            limits.product,
            destination.url()
        )
    });
    let url = report::url(args.build.url.as_deref(), origins, about, &context, limits);
    findings.result("url", url, Clone::clone);
    let mut warnings = Vec::new();
    let key = args.build.key.as_deref();
    let key = report::key(key, origins, about, &context, limits, &mut warnings);
    match &warnings[..] {
        [] => findings.ok("key", key),
        [warning, ..] => findings.warn("key", warning, "give a shorter key, or live with this one"),
    }

    let credentials = auth::read(env, args.credentials.auth, allow_http).and_then(|credentials| {
        let credentials = credentials.ok_or(Error::NoCredentials {
            caveat: about.map(|about| about.secrets_caveat),
        })?;
        credentials.check_product(product).map(|()| credentials)
    });
    let credentials = findings.result("credentials", credentials, |it| it.describe().to_owned());
    if let Some(credentials) = &credentials {
        voice.hide(credentials);
    }
    let repository_known = destination.is_some();
    let without = || Destination::without_repository(to, origins, allow_http).ok();
    let Some(destination) = destination.or_else(without) else {
        for question in ["server", "token", "access", "on server"] {
            findings.not_asked(question, "the server is not known");
        }
        return;
    };
    let client = match Client::new(&args.network, origins, destination.url(), env) {
        Ok(client) => client,
        Err(error) => {
            findings.fail("server", &error);
            return;
        }
    };
    let mut inquiry = Inquiry {
        args,
        client: &client,
        destination: &destination,
        repository_known,
        credentials,
        voice,
        findings,
        refused: false,
    };
    inquiry.run(commit.as_deref());
}

fn ask_ci(
    args: &CheckArgs,
    env: &Env,
    findings: &mut Findings,
) -> (Option<&'static About>, Context) {
    match provider::read_for_report(args.build.provider.as_deref(), env) {
        Ok((Some(about), context)) => {
            let answer = format!("{} ({})", about.name, about.id);
            match &context.unreadable {
                None => findings.ok("ci", answer),
                Some(unreadable) => findings.warn(
                    "ci",
                    format!("{answer}; {unreadable}"),
                    "in a container, mount that file where the variable says",
                ),
            }
            (Some(about), context)
        }
        Ok((None, context)) => {
            let hint = "run it in a CI job, or give --commit, --url, --repository and --key";
            findings.warn("ci", "none that is known", hint);
            (None, context)
        }
        Err(error) => {
            findings.fail("ci", &error);
            (None, Context::default())
        }
    }
}

fn ask_state(env: &Env, about: Option<&About>, context: &Context, findings: &mut Findings) {
    let word = env.get("BUILD_STATUS");
    match report::state(word, &Origins::default(), about, context) {
        Ok(state) => match about.filter(|_| word.is_none()) {
            Some(about) => findings.ok("state", format!("{state} ({})", about.state_caveat)),
            None => findings.ok("state", state.to_string()),
        },
        Err(error @ Error::UnknownState { .. }) => findings.fail("state", &error),
        Err(_) => findings.warn(
            "state",
            "not known here",
            // Of a CI with a variable, it may not be set here and be right in the step that reports.
            match about.filter(|about| about.state.is_none()) {
                Some(about) => about.state_caveat,
                None => "give it as an argument of the report: build_status passed",
            },
        ),
    }
}
