//! As a Lambda function: events, one after the other, until Lambda ends the process.

use std::convert::Infallible;
use std::time::Duration;

use crate::aws::lambda::{Invocation, Runtime};
use crate::bitbucket::{auth, locate};
use crate::ci::event::CREDENTIALS;
use crate::cli::{Options, Output};
use crate::command::event::Reporter;
use crate::command::summary::Summary;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::output::log::Log;
use crate::output::{self, Exit, error_lines};
use crate::secret::Redactor;

/// Works on events for as long as Lambda has some. What has to be known for all of them is read once.
pub(in crate::command) fn run(
    options: &Options,
    env: &Env,
    redactor: &Redactor,
    stderr: &mut dyn FnMut(&str),
) -> Exit {
    let result = Runtime::from_env(env).and_then(|runtime| {
        if let Err(error) = check(options, env) {
            fail_to_start(&error, env, redactor);
            return Err(error);
        }
        let mut reporter = Reporter::new(options, env);
        loop {
            answer(&runtime, &mut reporter, redactor, stderr)?;
        }
    });
    let Err::<Infallible, _>(error) = result;
    for line in error_lines(&error, redactor) {
        stderr(&line);
    }
    Exit::failed(&error)
}

/// Says to Lambda why no event can be worked on. The message is in the log, whether Lambda takes it or not.
pub(in crate::command) fn fail_to_start(error: &Error, env: &Env, redactor: &Redactor) {
    let text = output::line(&error.to_string(), redactor);
    let _ = Runtime::from_env(env).and_then(|runtime| runtime.fail_to_start(&text));
}

/// Whether there are a server and credentials: without them, no event can be reported.
fn check(options: &Options, env: &Env) -> Result<(), Error> {
    let product = locate::without_repository(options)?.product();
    match auth::read(env, options, product)? {
        None if !options.dry_run => Err(Error::NoCredentials {
            caveat: Some(CREDENTIALS),
        }),
        _ => Ok(()),
    }
}

/// Waits for an event, works on it, and answers.
fn answer(
    runtime: &Runtime,
    reporter: &mut Reporter<'_>,
    redactor: &Redactor,
    stderr: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    let Invocation { id, left, event } = runtime.next()?;
    let options = reporter.options;
    let timeout = options.network.timeout;
    let deadline = Deadline::after(timeout.min(left.unwrap_or(Duration::MAX)));
    // What one event hides does not stay: the log of each is another one.
    let mut line = |text: &str| stderr(&format!("{id}: {text}"));
    let mut log = Log::new(redactor.clone(), options.print.level(), &mut line);
    let summary = match event {
        Ok(event) => reporter.report(&event, deadline, &mut log),
        Err(error) => Summary::failed(error),
    };
    tell(&summary, options, &mut log);
    match &summary.error {
        Some(error) if is_fault(error) && !options.no_fail => {
            runtime.fail(&id, &output::line(&error.to_string(), log.redactor()))
        }
        _ => runtime.succeed(&id, summary.json(log.redactor())),
    }
}

/// One line for each event.
fn tell(summary: &Summary, options: &Options, log: &mut Log<'_>) {
    if let Some(error) = &summary.error {
        let is_forgiven = options.no_fail && error.is_forgivable();
        log.error(error, is_forgiven);
    } else if !options.print.quiet || options.dry_run {
        let text = match options.print.output {
            Output::Text => summary.text(log.redactor()),
            Output::Json => summary.json(log.redactor()),
        };
        text.lines().for_each(|line| log.line(line));
    }
}

/// Whether somebody has to do something: what Bitbucket refuses it may take when the token is mended, what
/// lacks a setting is reported when it is there, and what nobody mends has to reach queue and alarm. Events
/// that are none of ours, or have no status, are as they should be.
fn is_fault(error: &Error) -> bool {
    !matches!(
        error,
        Error::BadEvent { .. } | Error::NothingToReport { .. }
    )
}
