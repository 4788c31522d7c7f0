//! `build_status event`: one report, for an event of AWS in place of a job's environment.

pub(super) mod function;
mod input;

use crate::aws::api::Call;
use crate::aws::client::Aws;
use crate::aws::credentials::Need;
use crate::ci::event::{Event, Question};
use crate::cli::Options;
use crate::command::plan::Plan;
use crate::command::send::{self, Warm};
use crate::command::summary::Summary;
use crate::deadline::Deadline;
use crate::env::{Env, check_expanded};
use crate::error::Error;
use crate::output::Exit;
use crate::output::log::Log;

/// Reports the event in `file`, or on stdin.
pub(super) fn run(file: Option<&str>, options: &Options, env: &Env, mut log: Log<'_>) -> Exit {
    let deadline = Deadline::after(options.network.timeout);
    let summary = match input::read(file, deadline) {
        Ok(text) => Reporter::new(options, env).report(&text, deadline, &mut log),
        Err(error) => Summary::failed(error),
    };
    send::exit(&summary, options, log)
}

/// What reports one event after the other.
struct Reporter<'a> {
    options: &'a Options,
    env: &'a Env,
    aws: Option<Aws>,
    warm: Warm,
}

impl<'a> Reporter<'a> {
    fn new(options: &'a Options, env: &'a Env) -> Self {
        Self {
            options,
            env,
            aws: None,
            warm: Warm::default(),
        }
    }

    /// Reports what `text` tells of, within `deadline`.
    fn report(&mut self, text: &str, deadline: Deadline, log: &mut Log<'_>) -> Summary {
        let mut provider = None;
        let event = Event::parse(text).and_then(|mut event| {
            provider = Some(event.info.id);
            log.hide(event.secrets.iter().cloned());
            self.complete(&mut event, deadline, log)?;
            Ok(event)
        });
        match event {
            Ok(event) => {
                let mut summary = self.send(&event, deadline, log);
                let error = summary.error.take();
                summary.error = error.map(|error| self.without_value(error, &event.variables));
                summary
            }
            Err(error) => Summary {
                provider,
                ..Summary::failed(error)
            },
        }
    }

    /// Asks AWS for what is missing.
    fn complete(
        &mut self,
        event: &mut Event,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<(), Error> {
        while let Some(question) = event.ask.clone() {
            let options = self.options.with_variables_of_build(&event.variables);
            if is_answered(&question, event, &options) {
                return Ok(());
            }
            if self.aws.is_none() {
                self.aws = Some(Aws::from_env(self.env, &need(&question, event))?);
            }
            let Some(aws) = &mut self.aws else { break };
            let answer = aws.ask(&Call::of_event(&question, &event.region), deadline, log)?;
            event.learn(&String::from_utf8_lossy(&answer))?;
            log.hide(event.secrets.iter().cloned());
        }
        Ok(())
    }

    fn send(&mut self, event: &Event, deadline: Deadline, log: &mut Log<'_>) -> Summary {
        let mut options = self.options.with_variables_of_build(&event.variables);
        // Events come twice and in any order.
        options.guard = options.guard.or(Some(true));
        let plan = Plan::of_event(&options, self.env, event, log);
        let report = check(event, &options).and_then(|()| plan.report(None, log));
        match report {
            Ok(mut report) => {
                let description = log.redactor().redact(&event.description);
                report.describe(&options, &description, plan.product());
                send::finish(&plan, report, deadline, &mut self.warm, log)
            }
            Err(error) => Summary::of(&plan).with_error(error),
        }
    }

    /// `error`, without the value of a variable of the build, which nobody has to see.
    fn without_value(&self, error: Error, variables: &Env) -> Error {
        let text = error.to_string();
        let is_shown = |name: &&str| {
            let is_own = self.env.get(name).is_none();
            let value = variables.get(name);
            is_own
                && (text.contains(*name)
                    || value.is_some_and(|value| value.len() > 2 && text.contains(value)))
        };
        let found = variables.names().find(is_shown);
        match found.filter(|_| matches!(error.exit_code(), 2 | 3)) {
            Some(name) => {
                let value = variables.get(name).unwrap_or_default();
                let origin = format!("{name}, which the build was given");
                let unusable = || {
                    Error::setting(
                        name,
                        "the build has this variable, and its value is not usable",
                        "correct it where the build gets it; an event's values are not repeated here",
                    )
                };
                check_expanded(&origin, value)
                    .err()
                    .unwrap_or_else(unusable)
            }
            None => error,
        }
    }
}

/// What a question is asked for, and which options make it unnecessary.
fn need(question: &Question, event: &Event) -> Need {
    let purpose = match question {
        Question::Execution { .. } => "ask CodePipeline for the commit of this execution",
        Question::Build { .. } if event.context.commit.hash().is_none() => {
            "ask CodeBuild for the commit of this build"
        }
        Question::Build { .. } => "ask CodeBuild whether this build is one of a batch",
        Question::BatchChild { .. } => "ask CodeBuild for the name of this build in its batch",
    };
    let instead = match question {
        Question::Build { .. } if !event.is_named => "pass --commit, --repository and --key",
        Question::Build { .. } | Question::Execution { .. } => "pass --commit and --repository",
        Question::BatchChild { .. } => "pass --key",
    };
    Need { purpose, instead }
}

/// Whether somebody has said what the answer would be needed for.
fn is_answered(question: &Question, event: &Event, options: &Options) -> bool {
    let has_key = options.build.key.is_some() || event.is_named;
    let is_located = options.commit.is_some() && options.destination.repository.is_some();
    match question {
        Question::Execution { .. } => is_located,
        Question::Build { .. } => is_located && has_key,
        Question::BatchChild { .. } => options.build.key.is_some(),
    }
}

/// Whether there is something to report to Bitbucket.
fn check(event: &Event, options: &Options) -> Result<(), Error> {
    if let (Some(product), None) = (&event.elsewhere, &options.destination.repository) {
        return Err(Error::NothingToReport {
            reason: format!(
                "the code comes from {product}, not from Bitbucket (for a mirror, set \
                 BITBUCKET_REPOSITORY)"
            ),
        });
    }
    match options.commit {
        Some(_) => Ok(()),
        None => event.check_commit(),
    }
}
