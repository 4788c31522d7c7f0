//! What is said on stderr: how much of it, and nothing that must not be seen.

use crate::auth::{self, Credentials};
use crate::env::Env;
use crate::error::Error;
use crate::output;
use crate::secret::Redactor;

/// Says things, one line at a time.
pub struct Voice<'a> {
    sink: &'a mut dyn FnMut(&str),
    redactor: Redactor,
    quiet: bool,
    verbose: bool,
}

impl<'a> Voice<'a> {
    /// A voice that keeps the secrets of `env` to itself.
    pub fn new(env: &Env, sink: &'a mut dyn FnMut(&str), quiet: bool, verbose: bool) -> Self {
        Self {
            sink,
            redactor: auth::redactor(env),
            quiet,
            verbose,
        }
    }

    /// Keeps these to itself too.
    pub fn hide(&mut self, credentials: &Credentials) {
        auth::hide(credentials, &mut self.redactor);
    }

    /// What to keep out of what is printed elsewhere.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Says a line that is safe to print.
    pub fn say(&mut self, line: &str) {
        (self.sink)(line);
    }

    /// Says what a person should know.
    pub fn warn(&mut self, text: &str) {
        if !self.quiet {
            let line = output::line(text, &self.redactor);
            (self.sink)(&format!("warning: {line}"));
        }
    }

    /// Says what a person may want to know.
    pub fn detail(&mut self, text: &str) {
        if self.verbose {
            let line = output::line(text, &self.redactor);
            (self.sink)(&line);
        }
    }

    /// Says what went wrong, as a warning if that is forgiven.
    pub fn error(&mut self, error: &Error, forgiven: bool) {
        if forgiven && self.quiet {
            return;
        }
        for line in output::error_lines(error, &self.redactor) {
            let prefix = if forgiven { "warning: " } else { "" };
            (self.sink)(&format!("{prefix}{line}"));
        }
    }
}
