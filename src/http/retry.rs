//! When to try again. The functions are pure: times and random numbers are arguments, so that tests
//! and simulations can run them.

use std::time::Duration;

use crate::status::state::State;

/// How long and how often to try, which depends on the state of the report.
///
/// A final state is tried until the time is over, without a limit on attempts: with four retries, 53
/// of 150 jobs that end together lose their status to the default rate limit of Data Center; with
/// this rule, none. If the server says how long to wait, further pauses depend on the time left: of
/// 1,000 jobs over 100 s, 11 are lost in 120 s. Pauses of up to 5 s lose 36, with 2.6 times the
/// requests. See `bench/storm.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    total: Duration,
    attempts: Option<u32>,
    /// Of one request among many of one process: until when it is tried again for what may pass.
    patience: Option<Duration>,
}

/// The longest first pause. The limit doubles with each further one, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The least time for an attempt.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(250);

/// The most time that is kept for the last attempt.
const LAST_ATTEMPT: Duration = Duration::from_secs(1);

/// The time limit for an attempt of one request among many: a silent server must leave time for others.
const ONE_OF_MANY: Duration = Duration::from_secs(30);

/// The time limit for INPROGRESS, which gets one retry: it will soon be overwritten.
const IN_PROGRESS: Duration = Duration::from_secs(10);

/// The attempts so far, after one has failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    /// The number of attempts.
    pub attempts: u32,
    /// The time since the first one began.
    pub elapsed: Duration,
    /// How long the last attempt took.
    pub took: Duration,
}

/// Whether, and when, another attempt may help.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RetryHint {
    /// The failure may pass.
    Passing,
    /// The host's name is unknown. Worth one retry: a resolver that has just started may be wrong.
    UnknownHost,
    /// The server asks to wait this long.
    Wait(Duration),
    /// The failure will not pass.
    Lasting,
}

/// What to do after an attempt has failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Try again after this long.
    TryAfter(Duration),
    /// Give up, for this reason; without one, because of the failure itself.
    GiveUp(Option<String>),
}

impl Policy {
    /// The policy for a report of `state`, within `timeout`.
    pub fn new(state: State, timeout: Duration) -> Self {
        if state.is_final() {
            Self {
                total: timeout,
                attempts: None,
                patience: None,
            }
        } else {
            Self {
                total: timeout.min(IN_PROGRESS),
                attempts: Some(2),
                patience: None,
            }
        }
    }

    /// The policy for one request among many of one process. As long as the server asks it to wait, it
    /// waits, and no longer than that: no other client needs to go first. What may pass is tried again
    /// until `patience` after the start, which leaves the rest of the time to the other requests.
    pub(crate) fn one_of_many(timeout: Duration, patience: Duration) -> Self {
        Self {
            total: timeout,
            attempts: None,
            patience: Some(patience.min(timeout)),
        }
    }

    /// The policy for a question that a report can do without: `timeout`, and one retry.
    pub(crate) const fn question(timeout: Duration) -> Self {
        Self {
            total: timeout,
            attempts: Some(2),
            patience: None,
        }
    }

    /// The time limit of the attempt that begins after `elapsed`: two thirds of the time left, so that
    /// a server that never answers leaves time for another attempt.
    pub fn attempt(&self, elapsed: Duration) -> Duration {
        let left = self.total.saturating_sub(elapsed);
        let most = self.patience.map_or(left, |_| left.min(ONE_OF_MANY));
        (left * 2 / 3).max(SHORTEST_ATTEMPT).min(most)
    }

    /// What to do after the attempts in `tried`, of which the last ended with `retry_hint`. `dice` is a
    /// random number between 0 and 1.
    pub fn next(&self, tried: Tried, retry_hint: RetryHint, dice: f64) -> Next {
        let Tried {
            attempts, elapsed, ..
        } = tried;
        let end = match (self.patience, retry_hint) {
            (Some(patience), RetryHint::Passing | RetryHint::UnknownHost) => patience,
            _ => self.total,
        };
        let left = end.saturating_sub(elapsed);
        let most = match retry_hint {
            RetryHint::Lasting => {
                return Next::GiveUp(None);
            }
            RetryHint::UnknownHost => Some(2),
            RetryHint::Passing | RetryHint::Wait(_) => self.attempts,
        };
        let gave_up = || {
            let (attempts, elapsed) = (count(attempts), seconds(elapsed));
            Next::GiveUp(Some(format!("gave up after {attempts} and {elapsed} s")))
        };
        if most.is_some_and(|most| attempts >= most) {
            return gave_up();
        }
        let Some(longest) = left.checked_sub(SHORTEST_ATTEMPT) else {
            return gave_up();
        };
        // Keep time for three attempts like the last one: the server may be far away.
        let needed = (tried.took * 3).clamp(SHORTEST_ATTEMPT, LAST_ATTEMPT);
        let last = left.saturating_sub(needed);
        let doubled = FIRST_PAUSE * 2u32.saturating_pow((attempts - 1).min(8));
        let backoff = doubled.min(LONGEST_PAUSE).mul_f64(dice);
        let wait = match retry_hint {
            RetryHint::Wait(wait) => wait,
            RetryHint::Passing | RetryHint::UnknownHost | RetryHint::Lasting => {
                return Next::TryAfter(backoff.min(last));
            }
        };
        if wait > longest {
            return Next::GiveUp(Some(format!(
                "it asks to wait {} s, but {} s are left (--timeout)",
                wait.as_secs(),
                seconds(left)
            )));
        }
        let last = last.max(wait);
        // Wait longer than asked: the server asks every client to wait for the same time.
        let is_one_of_crowd = self.attempts.is_none() && self.patience.is_none();
        let spread = if is_one_of_crowd {
            // Up to a third of the time left: clients with the least time ask most often, so that
            // newcomers are not served before them. At first less: the queue may be short.
            (elapsed * 3).max(LONGEST_PAUSE).min(left / 3).mul_f64(dice)
        } else {
            backoff
        };
        let pause = wait + spread;
        // Without time for another such answer, try at the last moment, when the load is lowest.
        let is_last = pause + wait + needed > last;
        let may_wait = is_one_of_crowd && wait < LONGEST_PAUSE;
        Next::TryAfter(if is_last && may_wait {
            last
        } else {
            pause.min(last)
        })
    }
}

/// The number in words: `1 attempt`, `2 attempts`.
pub(crate) fn count(attempts: u32) -> String {
    let plural = if attempts == 1 { "" } else { "s" };
    format!("{attempts} attempt{plural}")
}

/// Seconds with two decimals.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// With attempts that take no time.
    const fn tried(attempts: u32, elapsed: u64) -> Tried {
        Tried {
            attempts,
            elapsed: ms(elapsed),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn pauses_double_up_to_five_seconds_with_full_jitter() {
        let policy = Policy::new(State::Failed, ms(1_000_000));
        let longest: Vec<_> = (1..7)
            .map(|attempts| policy.next(tried(attempts, 0), RetryHint::Passing, 1.0))
            .collect();
        let expected = [500, 1000, 2000, 4000, 5000, 5000].map(|pause| Next::TryAfter(ms(pause)));
        assert_eq!(longest, expected);
        assert_eq!(
            policy.next(tried(99, 0), RetryHint::Passing, 0.0),
            Next::TryAfter(ms(0))
        );
        assert_eq!(
            policy.next(tried(99, 0), RetryHint::Passing, 0.5),
            Next::TryAfter(ms(2500))
        );
    }

    #[test]
    fn a_final_state_is_worth_all_the_time_and_inprogress_one_retry_and_ten_seconds() {
        let last = Policy::new(State::Successful, ms(30_000));
        assert!(matches!(
            last.next(tried(50, 29_000), RetryHint::Passing, 1.0),
            Next::TryAfter(_)
        ));
        assert!(matches!(
            last.next(tried(2, 29_900), RetryHint::Passing, 1.0),
            Next::GiveUp(_)
        ));
        let first = Policy::new(State::InProgress, ms(30_000));
        assert!(matches!(
            first.next(tried(1, 100), RetryHint::Passing, 1.0),
            Next::TryAfter(_)
        ));
        assert!(matches!(
            first.next(tried(2, 100), RetryHint::Passing, 1.0),
            Next::GiveUp(_)
        ));
        assert!(matches!(
            first.next(tried(1, 9_900), RetryHint::Passing, 1.0),
            Next::GiveUp(_)
        ));
        assert!(first.attempt(ms(0)) < ms(10_000));
    }

    #[test]
    fn retry_after_is_honoured_when_it_fits_and_ends_the_run_when_it_does_not() {
        let policy = Policy::new(State::Failed, ms(30_000));
        let wait = |seconds| RetryHint::Wait(Duration::from_secs(seconds));
        assert_eq!(
            policy.next(tried(1, 1000), wait(7), 0.1),
            Next::TryAfter(ms(7500))
        );
        assert_eq!(
            policy.next(tried(1, 1000), wait(u64::MAX), 0.1),
            Next::GiveUp(Some(
                "it asks to wait 18446744073709551615 s, but 29.00 s are left (--timeout)".into()
            ))
        );
    }

    #[test]
    fn what_comes_on_top_of_retry_after_grows_up_to_a_third_of_the_time_left() {
        let policy = Policy::new(State::Failed, ms(30_000));
        let second = RetryHint::Wait(ms(1000));
        for (elapsed, longest) in [
            (0, 5000),
            (1000, 5000),
            (2000, 6000),
            (3000, 9000),
            (6000, 8000),
            (24_000, 2000),
        ] {
            assert_eq!(
                policy.next(tried(1, elapsed), second, 1.0),
                Next::TryAfter(ms(1000 + longest)),
                "after {elapsed} ms"
            );
        }
        assert_eq!(
            policy.next(tried(99, 15_000), second, 0.0),
            Next::TryAfter(ms(1000))
        );
        assert_eq!(
            policy.next(tried(1, 0), RetryHint::Wait(ms(0)), 0.5),
            Next::TryAfter(ms(2500))
        );
    }

    #[test]
    fn inprogress_comes_back_soon_and_leaves_the_rest_to_final_states() {
        let policy = Policy::new(State::InProgress, ms(30_000));
        assert_eq!(
            policy.next(tried(1, 0), RetryHint::Wait(ms(1000)), 1.0),
            Next::TryAfter(ms(1500))
        );
    }

    #[test]
    fn the_last_attempt_is_made_when_there_is_no_time_to_be_told_to_wait_again() {
        let policy = Policy::new(State::Failed, ms(30_000));
        let second = RetryHint::Wait(ms(1000));
        // 2.5 s are left: after this pause 1.5, enough for another second and an attempt.
        assert_eq!(
            policy.next(tried(9, 27_500), second, 0.0),
            Next::TryAfter(ms(1000))
        );
        // After this one 1.4.
        assert_eq!(
            policy.next(tried(9, 27_600), second, 0.0),
            Next::TryAfter(ms(2400 - 250))
        );
        assert_eq!(
            policy.next(tried(9, 28_750), second, 1.0),
            Next::TryAfter(ms(1000))
        );
        assert!(matches!(
            policy.next(tried(9, 28_751), second, 0.0),
            Next::GiveUp(_)
        ));
        // Ten seconds more would be a long time to add to twenty.
        assert_eq!(
            policy.next(tried(1, 0), RetryHint::Wait(ms(20_000)), 0.0),
            Next::TryAfter(ms(20_000))
        );
    }

    #[test]
    fn the_last_attempt_has_time_for_a_server_that_is_far_away() {
        let policy = Policy::new(State::Failed, ms(30_000));
        let far = Tried {
            took: ms(300),
            ..tried(9, 27_600)
        };
        for (retry_hint, dice) in [
            (RetryHint::Wait(ms(1000)), 0.0),
            (RetryHint::Wait(ms(1000)), 1.0),
            (RetryHint::Passing, 1.0),
        ] {
            let pause = policy.next(far, retry_hint, dice);
            assert_eq!(
                pause,
                Next::TryAfter(ms(2400 - 900)),
                "{retry_hint:?} {dice}"
            );
        }
        // One that took long is no reason to leave the time unused.
        let silent = Tried {
            took: ms(20_000),
            ..tried(1, 29_500)
        };
        assert_eq!(
            policy.next(silent, RetryHint::Passing, 1.0),
            Next::TryAfter(ms(0))
        );
    }

    #[test]
    fn an_unknown_host_is_asked_for_twice_and_what_lasts_once() {
        let policy = Policy::new(State::Failed, ms(30_000));
        assert!(matches!(
            policy.next(tried(1, 0), RetryHint::UnknownHost, 0.0),
            Next::TryAfter(_)
        ));
        assert!(matches!(
            policy.next(tried(2, 0), RetryHint::UnknownHost, 0.0),
            Next::GiveUp(_)
        ));
        assert!(matches!(
            policy.next(tried(1, 0), RetryHint::Lasting, 0.0),
            Next::GiveUp(_)
        ));
    }

    #[test]
    fn one_request_among_many_waits_as_told_and_leaves_time_to_the_others() {
        let policy = Policy::one_of_many(ms(120_000), ms(10_000));
        let after = |elapsed, hint| policy.next(tried(1, elapsed), hint, 1.0);
        let wait = RetryHint::Wait(ms(60_000));
        assert_eq!(after(50_000, wait), Next::TryAfter(ms(60_500)));
        assert_eq!(after(0, RetryHint::Passing), Next::TryAfter(ms(500)));
        assert!(matches!(after(9_900, RetryHint::Passing), Next::GiveUp(_)));
        assert!(matches!(after(80_000, wait), Next::GiveUp(_)));
        assert_eq!(policy.attempt(ms(0)), ms(30_000));
        assert_eq!(policy.attempt(ms(119_700)), ms(250));
    }

    #[test]
    fn attempts_never_outlive_the_time_left() {
        let policy = Policy::new(State::Failed, ms(3000));
        for elapsed in [0, 1000, 2700, 2900, 3000, 9000] {
            let left = ms(3000).saturating_sub(ms(elapsed));
            assert!(policy.attempt(ms(elapsed)) <= left);
        }
        assert_eq!(policy.attempt(ms(0)), ms(2000));
    }
}
