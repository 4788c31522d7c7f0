//! `build_status run`: runs a command, and reports INPROGRESS and its result.

mod child;
#[cfg(windows)]
mod console;
mod ending;
#[cfg(unix)]
mod parent;
#[cfg(windows)]
mod program;
mod progress;
mod reporter;
#[cfg(unix)]
mod script;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod wait;

use std::ffi::OsString;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::background;
use crate::cli::{Options, Output};
use crate::command::run::child::Running;
use crate::command::run::ending::ExitReason;
use crate::command::run::progress::Progress;
use crate::command::run::reporter::Reporter;
use crate::command::summary::Summary;
use crate::env::Env;
use crate::error::Error;
use crate::output::log::Log;
use crate::output::{self, Exit};

/// How long the command waits until the working copy and our files have been read. git is asked twice,
/// and has 2 s each time.
const LONGEST_PLAN: Duration = Duration::from_secs(5);

/// The run of this process.
static ACTIVE: OnceLock<Arc<Progress>> = OnceLock::new();

/// Whether this thread may end without the process: that of a run goes on until its command has ended.
/// Its report is given up.
pub fn give_up_reporting() -> bool {
    let is_main = thread::current().name() == Some("main");
    let Some(progress) = ACTIVE.get().filter(|_| !is_main) else {
        return false;
    };
    progress.report(None);
    true
}

/// The arguments of `run`.
pub(super) struct Run<'a> {
    pub(super) command: &'a [OsString],
    pub(super) strict: bool,
    pub(super) options: &'a Options,
    pub(super) env: &'a Env,
    pub(super) stderr: fn(&str),
}

impl Run<'_> {
    /// Runs the command, and reports around it. The command starts whatever goes wrong on our side, and
    /// once the working copy, which it may change, has been read.
    pub(super) fn run(&self, ignored: &[Error], mut log: Log<'_>) -> Exit {
        let since = SystemTime::now();
        let progress = Arc::new(Progress::new());
        for problem in ignored {
            log.warn(&format!("ignored: {problem}"));
        }
        let running = Running::start(self.command, &progress, || {
            self.start_reporting(&progress, since, &mut log);
            if !progress.wait_for_plan(LONGEST_PLAN) {
                let seconds = LONGEST_PLAN.as_secs();
                log.warn(&format!(
                    "this run is not reported: git and files were not read in {seconds} s"
                ));
                progress.report(None);
            }
        });
        let exit = if let Some(error) = running.refused() {
            log.warn(&format!(
                "this run is not reported: cannot start a process: {error}"
            ));
            progress.report(None);
            child::replace_us(self.command)
        } else {
            progress.start();
            running.wait()
        };
        let is_gitlab = self.env.get("GITLAB_CI").is_some();
        progress.exit(exit, exit.patience(is_gitlab));
        if exit.is_of_no_process() {
            let ended = progress.wait_for_end();
            let problem = ending::description(ended, &self.program(), None);
            log.line(&output::line(&problem, log.redactor()));
        }
        let summary = progress.wait_for_report().unwrap_or_else(|error| {
            log.error(&error, true);
            Summary::default().with_error(error)
        });
        self.exit(exit, &summary, log)
    }

    fn program(&self) -> String {
        let program = self
            .command
            .first()
            .map(|program| program.to_string_lossy());
        program.unwrap_or_default().into_owned()
    }

    /// Reports in a thread of its own, so that nothing of it holds up the command.
    fn start_reporting(&self, progress: &Arc<Progress>, since: SystemTime, log: &mut Log<'_>) {
        if self.options.dry_run {
            log.warn("this run is not reported: dry run");
            return progress.report(None);
        }
        let reporter = Reporter {
            progress: Arc::clone(ACTIVE.get_or_init(|| Arc::clone(progress))),
            program: self.program(),
            options: self.options.clone(),
            env: self.env.clone(),
            since,
            stderr: self.stderr,
        };
        let work = move || {
            let summary = reporter.report();
            reporter.progress.report(Some(summary));
        };
        if let Err(error) = background::start(work) {
            log.warn(&format!(
                "this run is not reported: cannot start a thread: {error}"
            ));
            progress.report(None);
        }
    }

    /// The exit code and the result, which goes to stderr: stdout belongs to the command.
    fn exit(&self, exit: ExitReason, summary: &Summary, mut log: Log<'_>) -> Exit {
        let own = summary.error.as_ref().map_or(0, Error::exit_code);
        let code = match exit.code() {
            0 if self.strict && matches!(own, 4 | 5) => own,
            code => code,
        };
        let mut stderr = String::new();
        let print = self.options.print;
        match print.output {
            Output::Json => stderr = summary.json(log.redactor()),
            Output::Text if print.quiet => {}
            Output::Text => {
                let text = summary.text(log.redactor());
                text.lines().for_each(|line| log.line(line));
            }
        }
        Exit {
            stdout: String::new(),
            stderr,
            code,
        }
    }
}
