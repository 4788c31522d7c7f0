//! The state and description for an ended command.

use std::time::Duration;

use super::child::{Ended, ExitReason};
use crate::junit::TestResults;
use crate::status::state::State;

/// The state of the build after its command has ended.
pub(super) fn state(ended: Ended) -> State {
    match ended {
        Ended {
            stopped_by: Some(_),
            ..
        } => State::Stopped,
        Ended {
            exit: ExitReason::Code(0),
            ..
        } => State::Successful,
        Ended { .. } => State::Failed,
    }
}

/// A description such as `failed with exit code 3 after 2m 05s`, or the counts of tests if they explain
/// the exit code.
pub(super) fn description(ended: Ended, program: &str, results: Option<TestResults>) -> String {
    let time = time(ended.elapsed);
    let counts = results.map(|results| format!("{results} in {time}"));
    match (ended.stopped_by, ended.exit, counts) {
        (Some(_), _, _) => format!("cancelled after {time}"),
        (None, ExitReason::Code(0), Some(counts)) => counts,
        (None, ExitReason::Code(0), None) => format!("passed in {time}"),
        (None, ExitReason::Code(_), Some(counts)) if results.is_some_and(|it| it.failed > 0) => {
            counts
        }
        (None, ExitReason::Code(code), _) => {
            let counts = results.map(|results| format!(" ({results})"));
            let counts = counts.unwrap_or_default();
            format!("failed with exit code {code} after {time}{counts}")
        }
        (None, ExitReason::Signal(signal), _) => format!("killed by signal {signal} after {time}"),
        (None, ExitReason::NotFound, _) => format!("command not found: {program}"),
        (None, ExitReason::NotExecutable(reason), _) => {
            format!("command cannot be executed: {program}: {reason}")
        }
    }
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
    use super::*;

    fn ended(exit: ExitReason, stopped_by: Option<i32>) -> Ended {
        Ended {
            exit,
            stopped_by,
            elapsed: Duration::from_secs(125),
        }
    }

    #[test]
    fn every_end_has_its_state_code_and_words() {
        let results = |failed| {
            Some(TestResults {
                failed,
                skipped: 1,
                successful: 212,
            })
        };
        for (exit, signal, results, state_word, code, words) in [
            (
                ExitReason::Code(0),
                None,
                None,
                State::Successful,
                0,
                "passed in 2m 05s",
            ),
            (
                ExitReason::Code(0),
                None,
                results(0),
                State::Successful,
                0,
                "212 passed, 1 skipped in 2m 05s",
            ),
            (
                ExitReason::Code(3),
                None,
                None,
                State::Failed,
                3,
                "failed with exit code 3 after 2m 05s",
            ),
            (
                ExitReason::Code(3),
                None,
                results(3),
                State::Failed,
                3,
                "212 passed, 3 failed, 1 skipped in 2m 05s",
            ),
            (
                ExitReason::Code(3),
                None,
                results(0),
                State::Failed,
                3,
                "failed with exit code 3 after 2m 05s (212 passed, 1 skipped)",
            ),
            (
                ExitReason::Signal(9),
                None,
                results(3),
                State::Failed,
                137,
                "killed by signal 9 after 2m 05s",
            ),
            (
                ExitReason::Signal(15),
                Some(15),
                None,
                State::Stopped,
                143,
                "cancelled after 2m 05s",
            ),
            (
                ExitReason::Code(0),
                Some(2),
                None,
                State::Stopped,
                0,
                "cancelled after 2m 05s",
            ),
            (
                ExitReason::NotFound,
                None,
                None,
                State::Failed,
                127,
                "command not found: x",
            ),
            (
                ExitReason::NotExecutable(std::io::ErrorKind::PermissionDenied),
                None,
                None,
                State::Failed,
                126,
                "command cannot be executed: x: permission denied",
            ),
        ] {
            let ended = ended(exit, signal);
            assert_eq!(state(ended), state_word);
            assert_eq!(exit.code(), code);
            assert_eq!(description(ended, "x", results), words);
        }
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
