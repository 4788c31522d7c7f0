//! The log on stderr: how much of it, and nothing secret in it.

use crate::error::Error;
use crate::output;
use crate::secret::{Redactor, Secret};

/// How much is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Errors only.
    Quiet,
    /// Warnings too.
    #[default]
    Normal,
    /// What is done, and why.
    Verbose,
}

/// Writes lines to stderr.
pub struct Log<'a> {
    sink: &'a mut dyn FnMut(&str),
    redactor: Redactor,
    level: Level,
}

impl<'a> Log<'a> {
    /// A log that keeps out the secrets that `redactor` knows.
    pub fn new(redactor: Redactor, level: Level, sink: &'a mut dyn FnMut(&str)) -> Self {
        Self {
            sink,
            redactor,
            level,
        }
    }

    /// Keeps these out too.
    pub fn hide(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        for secret in secrets {
            self.redactor.add(secret.expose());
        }
    }

    /// Every secret that is known so far.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// How much it writes.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Writes a line that is safe to print.
    pub fn line(&mut self, line: &str) {
        (self.sink)(line);
    }

    /// Writes what a person should know.
    pub fn warn(&mut self, text: &str) {
        if self.level > Level::Quiet {
            let line = output::line(text, &self.redactor);
            (self.sink)(&format!("warning: {line}"));
        }
    }

    /// Writes what a person may want to know.
    pub fn detail(&mut self, text: &str) {
        if self.level == Level::Verbose {
            let line = output::line(text, &self.redactor);
            (self.sink)(&line);
        }
    }

    /// Writes one of several things that went wrong, as a warning if that is forgiven.
    pub fn problem(&mut self, text: &str, forgiven: bool) {
        if !(forgiven && self.level == Level::Quiet) {
            let prefix = if forgiven { "warning: " } else { "" };
            let line = output::line(text, &self.redactor);
            (self.sink)(&format!("{prefix}{line}"));
        }
    }

    /// Writes what went wrong, as a warning if that is forgiven.
    pub fn error(&mut self, error: &Error, forgiven: bool) {
        if forgiven && self.level == Level::Quiet {
            return;
        }
        for line in output::error_lines(error, &self.redactor) {
            let prefix = if forgiven { "warning: " } else { "" };
            (self.sink)(&format!("{prefix}{line}"));
        }
    }
}
