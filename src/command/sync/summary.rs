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
#[derive(Debug)]
pub(super) struct Tally {
    /// What was sent, refused or kept, in this order.
    statuses: Vec<Summary>,
    pub(super) right: usize,
    pub(super) running: usize,
    /// What there was no time for.
    pub(super) unsent: usize,
    is_dry_run: bool,
    /// What ended all of it.
    pub(super) error: Option<Error>,
}

impl Tally {
    pub(super) const fn new(is_dry_run: bool) -> Self {
        Self {
            statuses: Vec::new(),
            right: 0,
            running: 0,
            unsent: 0,
            is_dry_run,
            error: None,
        }
    }

    /// Adds what was sent, or kept.
    pub(super) fn add(&mut self, plan: &Plan<'_>, report: Report, outcome: Outcome) {
        self.statuses.push(Summary {
            report: Some(report),
            error: outcome.error.clone(),
            outcome: Some(outcome),
            ..Summary::of(plan)
        });
    }

    /// Adds what would have been sent.
    pub(super) fn add_request(&mut self, plan: &Plan<'_>, report: Report) {
        let summary = Summary::of(plan);
        let request = summary.destination.as_ref().map(|it| it.request(&report));
        let request = request.map(|request| match &plan.credentials {
            Ok(credentials) => credentials.sign_dry_run(request),
            Err(_) => request,
        });
        self.statuses.push(Summary {
            report: Some(report),
            dry_run: request,
            ..summary
        });
    }

    /// Tells it: errors on stderr, the rest on stdout. The code is the worst.
    pub(super) fn exit(self, options: &Options, log: &mut Log<'_>) -> Exit {
        let mut code = 0;
        let mut hints: Vec<String> = Vec::new();
        let failed = self
            .statuses
            .iter()
            .filter_map(|it| it.error.as_ref().zip(it.report.as_ref()));
        for (error, report) in failed {
            code = code.max(forgiven(error, options));
            let text = format!("{}: {error}", report.key);
            log.problem(&text, options.no_fail && error.is_forgivable());
            // A thousand may have one reason.
            hints.extend(
                error
                    .hint()
                    .map(Into::into)
                    .filter(|hint| !hints.contains(hint)),
            );
        }
        for hint in hints {
            log.problem(&format!("hint: {hint}"), options.no_fail);
        }
        if let Some(error) = &self.error {
            code = code.max(forgiven(error, options));
            log.error(error, options.no_fail && error.is_forgivable());
        }
        let print = options.print;
        Exit {
            code,
            ..Exit::printed(match print.output {
                Output::Json => self.json(log.redactor()),
                Output::Text if print.quiet && !self.is_dry_run => String::new(),
                Output::Text => self.text(log.redactor()),
            })
        }
    }

    fn sent(&self) -> usize {
        let is_sent = |it: &&Summary| it.error.is_none() && it.kept().is_none();
        self.statuses.iter().filter(is_sent).count()
    }

    fn kept(&self) -> usize {
        self.statuses
            .iter()
            .filter(|it| it.kept().is_some())
            .count()
    }

    fn failed(&self) -> usize {
        self.statuses.iter().filter(|it| it.error.is_some()).count()
    }

    fn text(&self, redactor: &Redactor) -> String {
        let text: String = self.statuses.iter().map(|it| it.text(redactor)).collect();
        // Where nothing could be read, there is nothing to count.
        if self.error.is_some() && self.statuses.is_empty() && self.right == 0 {
            return text;
        }
        let sent = if self.is_dry_run { "to send" } else { "sent" };
        let mut counts = vec![
            format!("{} {sent}", self.sent()),
            format!("{} right already", self.right),
            format!("{} still running", self.running),
        ];
        for (count, word) in [
            (self.kept(), "kept"),
            (self.failed(), "failed"),
            (self.unsent, "not tried"),
        ] {
            if count > 0 {
                counts.push(format!("{count} {word}"));
            }
        }
        text + &counts.join(", ") + "\n"
    }

    /// Fields are only ever added.
    fn json(&self, redactor: &Redactor) -> String {
        #[derive(Serialize)]
        struct Fields {
            statuses: Vec<Box<RawValue>>,
            sent: usize,
            right_already: usize,
            still_running: usize,
            kept: usize,
            failed: usize,
            not_tried: usize,
            dry_run: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<serde_json::Value>,
        }
        let statuses = self.statuses.iter().map(|it| it.json(redactor));
        let fields = Fields {
            statuses: statuses
                .filter_map(|it| RawValue::from_string(it).ok())
                .collect(),
            sent: self.sent(),
            right_already: self.right,
            still_running: self.running,
            kept: self.kept(),
            failed: self.failed(),
            not_tried: self.unsent,
            dry_run: self.is_dry_run,
            error: self.error.as_ref().map(summary::error_json),
        };
        output::printable_json(&fields, redactor)
    }
}

fn forgiven(error: &Error, options: &Options) -> u8 {
    let is_forgiven = options.no_fail && error.is_forgivable();
    if is_forgiven { 0 } else { error.exit_code() }
}
