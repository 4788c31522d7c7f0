//! The state and description for an ended command.

use std::io;
use std::time::Duration;

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM};

use crate::junit::TestResults;
use crate::status::state::State;

/// The signals that ask to stop.
#[cfg(unix)]
pub(super) const STOPPING: [i32; 4] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT];

/// What there is to report of a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ended {
    /// How it has ended, or is about to.
    pub(super) end: End,
    /// After how long.
    pub(super) elapsed: Duration,
}

/// How a command has ended, or is about to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    /// A signal asks to stop.
    Stopped,
    /// It has ended by itself.
    Exit(ExitReason),
}

/// How a process has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ExitReason {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only Unix has signals"))]
    Signal(i32),
    /// It was never there.
    NotFound,
    /// It cannot be executed, for this reason.
    #[cfg_attr(windows, allow(dead_code, reason = "its errors say more"))]
    NotExecutable(io::ErrorKind),
    /// It is neither a program of this machine nor a script.
    #[cfg_attr(windows, allow(dead_code, reason = "Windows says so itself"))]
    NotAProgram,
    /// The system does not start it, and says this.
    #[cfg(windows)]
    Refused(i32),
    /// It is a batch file, and an argument has what none can be given.
    #[cfg(windows)]
    UnsafeArguments,
}

impl ExitReason {
    /// What a shell would have exited with.
    pub(super) const fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
            Self::NotFound => 127,
            _ => 126,
        }
    }

    /// Whether nothing could be started.
    pub(super) const fn is_of_no_process(self) -> bool {
        !matches!(self, Self::Code(_) | Self::Signal(_))
    }

    /// How long what has ended the process may take to get to us. Jenkins and, in containers, GitLab's
    /// runner ask the newest process first; the runner goes on a second after that is gone, when what
    /// waited for it may have failed.
    /// <https://gitlab.com/gitlab-org/gitlab-runner/-/blob/main/shells/bash.go>
    #[cfg(unix)]
    pub(super) fn patience(self, is_gitlab: bool) -> Duration {
        let signal = self.code() - 128;
        let is_asked_to_stop = signal == SIGKILL || STOPPING.contains(&signal);
        Duration::from_millis(match self {
            _ if is_asked_to_stop => 2000,
            Self::Code(1..) if is_gitlab => 2000,
            Self::Code(1..) => 500,
            // Also one that ends well when it is asked to stop.
            _ => 50,
        })
    }

    #[cfg(not(unix))]
    pub(super) const fn patience(self, _: bool) -> Duration {
        // STATUS_CONTROL_C_EXIT, also of Ctrl-Break
        const INTERRUPTED: i32 = 0xC000_013A_u32.cast_signed();
        Duration::from_millis(match self {
            Self::Code(INTERRUPTED) => 200,
            _ => 50,
        })
    }
}

/// The state of the build, now that its command has ended.
pub(super) fn state(end: End) -> State {
    match end {
        End::Stopped => State::Stopped,
        End::Exit(ExitReason::Code(0)) => State::Successful,
        End::Exit(_) => State::Failed,
    }
}

/// A description such as `failed with exit code 3 after 2m 05s`, or the counts of tests if they explain
/// the exit code.
pub(super) fn description(ended: Ended, program: &str, results: Option<TestResults>) -> String {
    let time = time(ended.elapsed);
    let counts = results.map(|results| format!("{results} in {time}"));
    let exit = match ended.end {
        End::Stopped => return format!("cancelled after {time}"),
        End::Exit(exit) => exit,
    };
    match (exit, counts) {
        (ExitReason::Code(0), Some(counts)) => counts,
        (ExitReason::Code(0), None) => format!("passed in {time}"),
        (ExitReason::Code(_), Some(counts)) if results.is_some_and(|it| it.failed > 0) => counts,
        (ExitReason::Code(code), _) => {
            let counts = results.map(|results| format!(" ({results})"));
            let counts = counts.unwrap_or_default();
            // Windows' own, such as 0xC0000005, an access violation.
            #[cfg(windows)]
            if code < 0 {
                return format!("failed with exit code 0x{code:08X} after {time}{counts}");
            }
            format!("failed with exit code {code} after {time}{counts}")
        }
        (ExitReason::Signal(signal), _) => format!("killed by signal {signal} after {time}"),
        (ExitReason::NotFound, _) => format!("command not found: {}", name(program)),
        (ExitReason::NotExecutable(reason), _) => {
            format!("command cannot be executed: {program}: {reason}")
        }
        (ExitReason::NotAProgram, _) => {
            format!("command cannot be executed: {program}: not a program of this machine")
        }
        #[cfg(windows)]
        (ExitReason::Refused(code), _) => {
            // The system's words have a place for the name.
            let words = io::Error::from_raw_os_error(code).to_string();
            let words = words.replace("%1", "it");
            format!("command cannot be executed: {program}: {words}")
        }
        #[cfg(windows)]
        (ExitReason::UnsafeArguments, _) => format!(
            "command cannot be executed: {program}: it is a batch file, and no argument of those can \
             have a line break"
        ),
    }
}

/// A program that is not there, as it is shown. Where the word is `NAME=value`, a line of shell or a URL, the
/// rest of it may be a secret.
fn name(word: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '=' | '@');
    let name = word.split("://").next().unwrap_or_default();
    let name = name.split(is_end).next().unwrap_or_default();
    let rest = if name.len() < word.len() { "…" } else { "" };
    format!("{name}{rest}")
}

/// `0.4s`, `42s`, `2m 05s`, `1h 02m 05s`
fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) if seconds < 10 => format!("{:.1}s", elapsed.as_secs_f64()),
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, seconds) => format!("{hours}h {minutes:02}m {seconds:02}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::ExitReason::{Code, NotExecutable, NotFound, Signal};
    use super::*;

    const fn ended(end: End) -> Ended {
        Ended {
            end,
            elapsed: Duration::from_secs(125),
        }
    }

    #[test]
    fn every_end_has_its_state_code_and_words() {
        let results = |failed| TestResults {
            failed,
            skipped: 1,
            successful: 212,
        };
        let denied = NotExecutable(io::ErrorKind::PermissionDenied);
        for (exit, state_word, code) in [
            (Code(0), State::Successful, 0),
            (Code(3), State::Failed, 3),
            (Signal(9), State::Failed, 137),
            (NotFound, State::Failed, 127),
            (denied, State::Failed, 126),
        ] {
            assert_eq!((state(End::Exit(exit)), exit.code()), (state_word, code));
        }
        let tests = "212 passed, 3 failed, 1 skipped in 2m 05s";
        let others = "failed with exit code 3 after 2m 05s (212 passed, 1 skipped)";
        for (exit, failed, words) in [
            (Code(0), None, "passed in 2m 05s"),
            (Code(0), Some(0), "212 passed, 1 skipped in 2m 05s"),
            (Code(3), None, "failed with exit code 3 after 2m 05s"),
            (Code(3), Some(3), tests),
            (Code(3), Some(0), others),
            (Signal(9), Some(3), "killed by signal 9 after 2m 05s"),
            (NotFound, None, "command not found: x"),
            (
                denied,
                None,
                "command cannot be executed: x: permission denied",
            ),
        ] {
            let ended = ended(End::Exit(exit));
            assert_eq!(description(ended, "x", failed.map(results)), words);
        }
        assert_eq!(state(End::Stopped), State::Stopped);
        let cancelled = description(ended(End::Stopped), "x", Some(results(3)));
        assert_eq!(cancelled, "cancelled after 2m 05s");
    }

    #[test]
    fn times_are_as_long_as_they_have_to_be() {
        for (ms, text) in [
            (420, "0.4s"),
            (9_949, "9.9s"),
            (42_900, "42s"),
            (125_000, "2m 05s"),
            (3_725_000, "1h 02m 05s"),
        ] {
            assert_eq!(time(Duration::from_millis(ms)), text);
        }
    }
}
