//! The log on stderr, without secrets.

use crate::error::Error;
use crate::output;
use crate::secret::{Redactor, Secret};

/// How much is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Errors only.
    Quiet,
    /// Errors and warnings.
    #[default]
    Normal,
    /// Each step and its reason, too.
    Verbose,
}

/// Writes lines to stderr.
pub(crate) struct Log<'a> {
    sink: &'a mut dyn FnMut(&str),
    redactor: Redactor,
    level: Level,
}

impl<'a> Log<'a> {
    /// A log that redacts the secrets in `redactor`. `sink` gets each line without newline.
    pub(crate) fn new(redactor: Redactor, level: Level, sink: &'a mut dyn FnMut(&str)) -> Self {
        Self {
            sink,
            redactor,
            level,
        }
    }

    /// Redacts these secrets from now on.
    pub(crate) fn hide(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        for secret in secrets {
            self.redactor.add(secret.expose());
        }
    }

    /// The redactor with every secret that is known so far.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Writes a line that is already safe to print, at every level.
    pub(crate) fn line(&mut self, line: &str) {
        (self.sink)(line);
    }

    /// Writes a warning, unless quiet.
    pub(crate) fn warn(&mut self, text: &str) {
        if self.level > Level::Quiet {
            let line = output::line(text, &self.redactor);
            (self.sink)(&format!("warning: {line}"));
        }
    }

    /// Writes a detail, if verbose.
    pub(crate) fn detail(&mut self, text: &str) {
        if self.level == Level::Verbose {
            let line = output::line(text, &self.redactor);
            (self.sink)(&line);
        }
    }

    /// Writes one of several problems; as a warning if it is `forgiven`.
    pub(crate) fn problem(&mut self, text: &str, forgiven: bool) {
        if !(forgiven && self.level == Level::Quiet) {
            let prefix = if forgiven { "warning: " } else { "" };
            let line = output::line(text, &self.redactor);
            (self.sink)(&format!("{prefix}{line}"));
        }
    }

    /// Writes an error and its hint; as a warning if it is `forgiven`.
    pub(crate) fn error(&mut self, error: &Error, forgiven: bool) {
        if forgiven && self.level == Level::Quiet {
            return;
        }
        for line in output::error_lines(error, &self.redactor) {
            let prefix = if forgiven { "warning: " } else { "" };
            (self.sink)(&format!("{prefix}{line}"));
        }
    }
}
