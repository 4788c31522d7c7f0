//! The command that is wrapped: started, waited for, and sent the signals that we get.

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// A command that runs.
pub(super) struct Running {
    started: Instant,
    child: io::Result<Child>,
    #[cfg(unix)]
    signals: Option<super::signals::Signals>,
}

/// A command that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ended {
    /// How.
    pub(super) exit: ExitReason,
    /// The first signal that reached us meanwhile.
    pub(super) stopped_by: Option<i32>,
    /// After how long.
    pub(super) elapsed: Duration,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ExitReason {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has signals"))]
    Signal(i32),
    /// It was never there.
    NotFound,
    /// It cannot be executed, for this reason.
    NotExecutable(io::ErrorKind),
}

impl ExitReason {
    /// What a shell would have exited with.
    pub(super) fn code(self) -> u8 {
        let code = match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
            Self::NotFound => 127,
            Self::NotExecutable(_) => 126,
        };
        // Windows has larger ones.
        u8::try_from(code).unwrap_or(1)
    }
}

impl Running {
    /// Starts `words`, with our streams, environment and directory.
    pub(super) fn start(words: &[OsString]) -> Self {
        let started = Instant::now();
        // Before it starts, so that no signal is lost between the two.
        #[cfg(unix)]
        let signals = super::signals::Signals::catch().ok();
        let child = match words {
            [] => Err(io::ErrorKind::NotFound.into()),
            [program, args @ ..] => match Command::new(program).args(args).spawn() {
                // A script without `#!`: shells run it with sh.
                #[cfg(unix)]
                Err(error) if is_not_a_program(&error) => {
                    Command::new("/bin/sh").arg(program).args(args).spawn()
                }
                child => child,
            },
        };
        #[cfg(unix)]
        if let (Some(signals), Ok(child)) = (&signals, &child) {
            signals.pass_on_to(child.id());
        }
        Self {
            started,
            child,
            #[cfg(unix)]
            signals,
        }
    }

    /// Waits until it has ended.
    pub(super) fn wait(self) -> Ended {
        let exit = match self.child {
            Ok(mut child) => {
                #[cfg(unix)]
                if let Some(signals) = &self.signals {
                    signals.wait_for(child.id());
                }
                child.wait().map_or(ExitReason::Code(1), exit)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => ExitReason::NotFound,
            Err(error) => ExitReason::NotExecutable(error.kind()),
        };
        #[cfg(unix)]
        let stopped_by = self
            .signals
            .as_ref()
            .and_then(|signals| signals.first(patience(exit)));
        #[cfg(not(unix))]
        let stopped_by = None;
        Ended {
            exit,
            stopped_by,
            elapsed: self.started.elapsed(),
        }
    }
}

#[cfg(unix)]
fn is_not_a_program(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error())
}

/// How long a signal that ended the command may take to get to us.
#[cfg(unix)]
fn patience(exit: ExitReason) -> Duration {
    let asked_to_stop = |signal| super::signals::STOPPING.contains(&signal);
    match exit {
        ExitReason::Code(0) => Duration::ZERO,
        ExitReason::Signal(signal) if asked_to_stop(signal) => Duration::from_millis(200),
        ExitReason::Code(code) if asked_to_stop(code - 128) => Duration::from_millis(200),
        _ => Duration::from_millis(10),
    }
}

fn exit(status: ExitStatus) -> ExitReason {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return ExitReason::Signal(signal);
    }
    ExitReason::Code(status.code().unwrap_or(1))
}
