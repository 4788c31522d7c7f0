//! What a sync has to tell in the end.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::bitbucket::delivery::Outcome;
use crate::cli::{Options, Output};
use crate::command::plan::Plan;
use crate::command::summary::{self, Summary};
use crate::error::Error;
use crate::output::log::Log;
use crate::output::{self, Exit};
use crate::report::Report;
use crate::secret::Redactor;

/// Everything that came of it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// What was sent, refused or kept, in this order.
    statuses: Vec<Summary>,
    pub(super) counts: Counts,
    /// Why something is missing.
    pub(super) problems: Vec<Error>,
    /// What ended all of it.
    pub(super) error: Option<Error>,
}

/// How many statuses there are of each kind.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Counts {
    /// In a dry run, what would have been.
    sent: usize,
    pub(super) right_already: usize,
    pub(super) still_running: usize,
    kept: usize,
    failed: usize,
    /// There was no time for them.
    pub(super) not_tried: usize,
}

impl Tally {
    /// Nothing came of it but `error`.
    pub(super) fn failed(error: Error) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }

    /// Adds what was sent or kept; without an outcome, what would have been sent.
    pub(super) fn add(&mut self, plan: &Plan<'_>, report: Report, outcome: Option<Outcome>) {
        let mut summary = Summary::of(plan);
        match &outcome {
            Some(Outcome { error: Some(_), .. }) => self.counts.failed += 1,
            Some(Outcome { kept: Some(_), .. }) => self.counts.kept += 1,
            Some(_) => self.counts.sent += 1,
            None => {
                self.counts.sent += 1;
                summary.dry_run = summary.destination.as_ref().map(|destination| {
                    let request = destination.request(&report);
                    match &plan.credentials {
                        Ok(credentials) => credentials.sign_dry_run(request),
                        Err(_) => request,
                    }
                });
            }
        }
        if let Some(outcome) = outcome {
            summary.end(outcome, &report);
        }
        summary.report = Some(report);
        self.statuses.push(summary);
    }

    /// Tells it: errors on stderr, the rest on stdout. The code is the worst.
    pub(super) fn exit(self, options: &Options, log: &mut Log<'_>) -> Exit {
        let is_forgiven = |error: &Error| options.no_fail && error.is_forgivable();
        let of_statuses = self
            .statuses
            .iter()
            .filter_map(|Summary { report, error, .. }| {
                let (report, error) = (report.as_ref()?, error.as_ref()?);
                Some((error, format!("{}: {error}", report.key)))
            });
        let of_others = self.problems.iter().map(|error| (error, error.to_string()));
        let mut hints: Vec<String> = Vec::new();
        for (error, text) in of_statuses.chain(of_others) {
            log.problem(&text, is_forgiven(error));
            // A thousand may have one reason.
            let hint = error.hint().map(|hint| format!("hint: {hint}"));
            if let Some(hint) = hint.filter(|hint| !hints.contains(hint)) {
                log.problem(&hint, is_forgiven(error));
                hints.push(hint);
            }
        }
        if let Some(error) = &self.error {
            log.error(error, is_forgiven(error));
        }
        let errors = self.statuses.iter().filter_map(|it| it.error.as_ref());
        let errors = errors
            .chain(&self.problems)
            .chain(&self.error)
            .filter(|error| !is_forgiven(error));
        Exit {
            code: errors.map(Error::exit_code).max().unwrap_or(0),
            ..Exit::printed(match options.print.output {
                Output::Json => self.json(options, log.redactor()),
                Output::Text if options.print.quiet && !options.dry_run => String::new(),
                Output::Text => self.text(options, log.redactor()),
            })
        }
    }

    fn text(&self, options: &Options, redactor: &Redactor) -> String {
        let Counts {
            sent,
            right_already,
            still_running,
            kept,
            failed,
            not_tried,
        } = self.counts;
        // Where nothing could be read, there is nothing to count.
        if self.error.is_some() && sent + right_already + failed == 0 {
            return String::new();
        }
        let text: String = self.statuses.iter().map(|it| it.text(redactor)).collect();
        let verb = if options.dry_run { "to send" } else { "sent" };
        let mut counts =
            format!("{sent} {verb}, {right_already} right already, {still_running} still running");
        for (count, word) in [(kept, "kept"), (failed, "failed"), (not_tried, "not tried")] {
            if count > 0 {
                counts = format!("{counts}, {count} {word}");
            }
        }
        text + &counts + "\n"
    }

    /// Fields are only ever added.
    fn json(&self, options: &Options, redactor: &Redactor) -> String {
        #[derive(Serialize)]
        struct Fields {
            statuses: Vec<Box<RawValue>>,
            #[serde(flatten)]
            counts: Counts,
            dry_run: bool,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            problems: Vec<serde_json::Value>,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<serde_json::Value>,
        }
        let statuses = self.statuses.iter().map(|it| it.json(redactor));
        let fields = Fields {
            statuses: statuses
                .filter_map(|it| RawValue::from_string(it).ok())
                .collect(),
            counts: self.counts,
            dry_run: options.dry_run,
            problems: self.problems.iter().map(summary::error_json).collect(),
            error: self.error.as_ref().map(summary::error_json),
        };
        output::printable_json(&fields, redactor)
    }
}
