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
    /// Of one request among others: they need time too.
    share: Option<Share>,
}

/// What one request among others may take.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Share {
    /// Until when it is tried again for what may pass.
    patience: Duration,
    /// The time limit of an attempt: a silent server must leave time for the others.
    attempt: Duration,
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
    /// The server is away, and may be back earlier than it says.
    Away(Duration),
    /// The failure will not pass.
    Lasting,
}

impl RetryHint {
    /// The hint for a response with this HTTP status that asks to wait for `retry_after`. `None` if the
    /// status is a refusal, or no failure at all.
    pub(crate) fn of_status(status: u16, retry_after: Option<Duration>) -> Option<Self> {
        match status {
            // 520 to 530 are Cloudflare's, for a server that it does not reach.
            // https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
            408 | 425 | 500 | 502 | 503 | 504 | 520..=530 => {
                Some(retry_after.map_or(Self::Passing, Self::Away))
            }
            429 => Some(retry_after.map_or(Self::Passing, Self::Wait)),
            500.. => Some(Self::Lasting),
            _ => None,
        }
    }
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
        let (total, attempts) = if state.is_final() {
            (timeout, None)
        } else {
            (timeout.min(IN_PROGRESS), Some(2))
        };
        Self {
            total,
            attempts,
            share: None,
        }
    }

    /// The policy for one request among many of one process. As long as the server asks it to wait, it
    /// waits, and no longer than that: no other client needs to go first. What may pass is tried again
    /// until `patience` after the start, which leaves the rest of the time to the other requests.
    pub(crate) fn one_of_many(timeout: Duration, patience: Duration) -> Self {
        Self {
            total: timeout,
            attempts: None,
            share: Some(Share {
                patience: patience.min(timeout),
                attempt: ONE_OF_MANY,
            }),
        }
    }

    /// The policy for a question after `elapsed`, without whose answer a report may be wrong, and which has
    /// to leave time to send the report: of what is `left`, a quarter for what may pass, and half where the
    /// server asks to wait, as it would ask the report too.
    pub(crate) fn question(elapsed: Duration, left: Duration) -> Self {
        Self {
            total: elapsed + left / 2,
            attempts: None,
            share: Some(Share {
                patience: elapsed + left / 4,
                attempt: left / 6,
            }),
        }
    }

    /// The time limit of the attempt that begins after `elapsed`: two thirds of the time left, so that
    /// a server that never answers leaves time for another attempt.
    pub fn attempt(&self, elapsed: Duration) -> Duration {
        let left = self.total.saturating_sub(elapsed);
        let most = self.share.map_or(left, |share| left.min(share.attempt));
        (left * 2 / 3).max(SHORTEST_ATTEMPT).min(most)
    }

    /// What to do after the attempts in `tried`, of which the last ended with `retry_hint`. `dice` is a
    /// random number between 0 and 1.
    pub fn next(&self, tried: Tried, retry_hint: RetryHint, dice: f64) -> Next {
        let (attempts, elapsed) = (tried.attempts, tried.elapsed);
        let retry_hint = match retry_hint {
            RetryHint::Away(wait)
                if wait.saturating_add(elapsed + SHORTEST_ATTEMPT) > self.total =>
            {
                RetryHint::Passing
            }
            RetryHint::Away(wait) => RetryHint::Wait(wait),
            hint => hint,
        };
        let end = match (self.share, retry_hint) {
            (Some(share), RetryHint::Passing | RetryHint::UnknownHost) => share.patience,
            _ => self.total,
        };
        let left = end.saturating_sub(elapsed);
        let most = match retry_hint {
            RetryHint::Lasting => return Next::GiveUp(None),
            RetryHint::UnknownHost => Some(2),
            RetryHint::Passing | RetryHint::Wait(_) | RetryHint::Away(_) => self.attempts,
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
        let RetryHint::Wait(wait) = retry_hint else {
            return Next::TryAfter(backoff.min(last));
        };
        if wait > longest {
            let (wait, left) = (wait.as_secs(), seconds(left));
            let reason = format!("it asks to wait {wait} s, but {left} s are left (--timeout)");
            return Next::GiveUp(Some(reason));
        }
        let last = last.max(wait);
        // Wait longer than asked: the server asks every client to wait for the same time.
        let is_one_of_crowd = self.attempts.is_none() && self.share.is_none();
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
        let pause = if is_last && may_wait { last } else { pause };
        Next::TryAfter(pause.min(last))
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
    use super::RetryHint::{Away, Lasting, Passing, UnknownHost, Wait};
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

    /// The pause before the next attempt, if there is one.
    fn pause(policy: Policy, tried: Tried, hint: RetryHint, dice: f64) -> Option<Duration> {
        match policy.next(tried, hint, dice) {
            Next::TryAfter(pause) => Some(pause),
            Next::GiveUp(_) => None,
        }
    }

    #[test]
    fn pauses_double_up_to_five_seconds_with_full_jitter() {
        let policy = Policy::new(State::Failed, ms(1_000_000));
        let after = |attempts, dice| pause(policy, tried(attempts, 0), Passing, dice);
        let longest = [1, 2, 3, 4, 5, 6].map(|attempts| after(attempts, 1.0));
        let expected = [500, 1000, 2000, 4000, 5000, 5000].map(|pause| Some(ms(pause)));
        assert_eq!(longest, expected);
        assert_eq!(after(99, 0.0), Some(ms(0)));
        assert_eq!(after(99, 0.5), Some(ms(2500)));
    }

    #[test]
    fn a_final_state_is_worth_all_the_time_and_inprogress_one_retry_and_ten_seconds() {
        let goes_on = |policy, tried| pause(policy, tried, Passing, 1.0).is_some();
        let last = Policy::new(State::Successful, ms(30_000));
        assert!(goes_on(last, tried(50, 29_000)));
        assert!(!goes_on(last, tried(2, 29_900)));
        let first = Policy::new(State::InProgress, ms(30_000));
        assert!(goes_on(first, tried(1, 100)));
        assert!(!goes_on(first, tried(2, 100)));
        assert!(!goes_on(first, tried(1, 9_900)));
        assert!(first.attempt(ms(0)) < ms(10_000));
    }

    #[test]
    fn retry_after_is_honoured_when_it_fits_and_ends_the_run_when_it_does_not() {
        let policy = Policy::new(State::Failed, ms(30_000));
        let next = |wait| policy.next(tried(1, 1000), Wait(Duration::from_secs(wait)), 0.1);
        assert_eq!(next(7), Next::TryAfter(ms(7500)));
        let reason = "it asks to wait 18446744073709551615 s, but 29.00 s are left (--timeout)";
        assert_eq!(next(u64::MAX), Next::GiveUp(Some(reason.into())));
    }

    /// Atlassian's products ask for 30 s while they start, which is the whole `--timeout`.
    #[test]
    fn a_server_that_is_away_for_longer_than_the_time_left_is_tried_all_the_same() {
        let policy = Policy::new(State::Failed, ms(30_000));
        let after = |hint| pause(policy, tried(1, 1000), hint, 1.0);
        assert_eq!(after(Away(ms(7000))), after(Wait(ms(7000))));
        for wait in [ms(28_751), Duration::MAX] {
            assert_eq!(after(Away(wait)), after(Passing), "{wait:?}");
        }
    }

    #[test]
    fn what_comes_on_top_of_retry_after_grows_up_to_a_third_of_the_time_left() {
        let policy = Policy::new(State::Failed, ms(30_000));
        let after = |tried, wait, dice| pause(policy, tried, Wait(ms(wait)), dice);
        for (elapsed, longest) in [
            (0, 5000),
            (1000, 5000),
            (2000, 6000),
            (3000, 9000),
            (6000, 8000),
            (24_000, 2000),
        ] {
            let pause = after(tried(1, elapsed), 1000, 1.0);
            assert_eq!(pause, Some(ms(1000 + longest)), "after {elapsed} ms");
        }
        assert_eq!(after(tried(99, 15_000), 1000, 0.0), Some(ms(1000)));
        assert_eq!(after(tried(1, 0), 0, 0.5), Some(ms(2500)));
    }

    #[test]
    fn inprogress_comes_back_soon_and_leaves_the_rest_to_final_states() {
        let policy = Policy::new(State::InProgress, ms(30_000));
        let pause = pause(policy, tried(1, 0), Wait(ms(1000)), 1.0);
        assert_eq!(pause, Some(ms(1500)));
    }

    #[test]
    fn the_last_attempt_is_made_when_there_is_no_time_to_be_told_to_wait_again() {
        let policy = Policy::new(State::Failed, ms(30_000));
        let after = |elapsed, dice| pause(policy, tried(9, elapsed), Wait(ms(1000)), dice);
        // 2.5 s are left: after this pause 1.5, enough for another second and an attempt.
        assert_eq!(after(27_500, 0.0), Some(ms(1000)));
        // After this one 1.4.
        assert_eq!(after(27_600, 0.0), Some(ms(2400 - 250)));
        assert_eq!(after(28_750, 1.0), Some(ms(1000)));
        assert_eq!(after(28_751, 0.0), None);
        // Ten seconds more would be a long time to add to twenty.
        let long = pause(policy, tried(1, 0), Wait(ms(20_000)), 0.0);
        assert_eq!(long, Some(ms(20_000)));
    }

    #[test]
    fn the_last_attempt_has_time_for_a_server_that_is_far_away() {
        let policy = Policy::new(State::Failed, ms(30_000));
        let far = Tried {
            took: ms(300),
            ..tried(9, 27_600)
        };
        let wait = Wait(ms(1000));
        for (hint, dice) in [(wait, 0.0), (wait, 1.0), (Passing, 1.0)] {
            let pause = pause(policy, far, hint, dice);
            assert_eq!(pause, Some(ms(2400 - 900)), "{hint:?} {dice}");
        }
        // One that took long is no reason to leave the time unused.
        let silent = Tried {
            took: ms(20_000),
            ..tried(1, 29_500)
        };
        assert_eq!(pause(policy, silent, Passing, 1.0), Some(ms(0)));
    }

    #[test]
    fn an_unknown_host_is_asked_for_twice_and_what_lasts_once() {
        let policy = Policy::new(State::Failed, ms(30_000));
        let after = |attempts, hint| pause(policy, tried(attempts, 0), hint, 0.0);
        assert!(after(1, UnknownHost).is_some());
        assert!(after(2, UnknownHost).is_none());
        assert!(after(1, Lasting).is_none());
    }

    #[test]
    fn one_request_among_many_waits_as_told_and_leaves_time_to_the_others() {
        let policy = Policy::one_of_many(ms(120_000), ms(10_000));
        let after = |elapsed, hint| pause(policy, tried(1, elapsed), hint, 1.0);
        let wait = Wait(ms(60_000));
        assert_eq!(after(50_000, wait), Some(ms(60_500)));
        assert_eq!(after(0, Passing), Some(ms(500)));
        assert_eq!(after(9_900, Passing), None);
        assert_eq!(after(80_000, wait), None);
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
