//! When to try again: the rule of build_status, and others to hold it against.

use std::time::Duration;

use build_status::http::retry::{Next, Policy, RetryHint, Tried};
use build_status::status::state::State;

/// What a rule is told after an attempt that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub(crate) state: State,
    pub(crate) timeout: Duration,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    /// How long the last attempt took.
    pub(crate) took: Duration,
    pub(crate) setback: RetryHint,
    pub(crate) dice: f64,
    /// How long the last pause was.
    pub(crate) paused: Duration,
}

pub(crate) type Rule = fn(&Ask) -> Next;

/// Every rule, by its name in the tables. They differ in what a final state is worth.
pub(crate) const RULES: &[(&str, Rule)] = &[
    ("four retries", four_retries),
    ("full jitter", full_jitter),
    ("equal jitter", equal_jitter),
    ("decorrelated jitter", decorrelated_jitter),
    ("five seconds", five_seconds),
    ("a third", a_third),
    ("build_status", build_status),
];

/// That of build_status.
pub(crate) fn build_status(ask: &Ask) -> Next {
    let tried = Tried {
        attempts: ask.attempts,
        elapsed: ask.elapsed,
        took: ask.took,
    };
    Policy::new(ask.state, ask.timeout).next(tried, ask.setback, ask.dice)
}

/// What many clients do: four retries, full jitter that doubles from 500 ms, and no less than what
/// the server asks for.
pub(crate) fn four_retries(ask: &Ask) -> Next {
    if ask.attempts > 4 {
        return Next::GiveUp(None);
    }
    let wait = match ask.setback {
        RetryHint::Wait(wait) => wait,
        _ => Duration::ZERO,
    };
    within(ask, |_| doubled(ask).mul_f64(ask.dice).saturating_sub(wait))
}

/// What build_status did first: 500 ms, doubling to 5 s, jittered, after the wait that is asked for.
pub(crate) fn full_jitter(ask: &Ask) -> Next {
    within(ask, |_| doubled(ask).mul_f64(ask.dice))
}

/// The same, but half of each pause is certain.
pub(crate) fn equal_jitter(ask: &Ask) -> Next {
    within(ask, |_| doubled(ask).mul_f64(0.5 + ask.dice / 2.0))
}

/// Up to three times the last pause, at most 5 s.
pub(crate) fn decorrelated_jitter(ask: &Ask) -> Next {
    let most = (ask.paused * 3).clamp(FIRST, LONGEST);
    within(ask, |_| {
        FIRST.mul_f64(1.0 - ask.dice) + most.mul_f64(ask.dice)
    })
}

/// 5 s, jittered, from the first pause on.
pub(crate) fn five_seconds(ask: &Ask) -> Next {
    within(ask, |_| LONGEST.mul_f64(ask.dice))
}

/// After the wait that is asked for, a third of the time left, jittered, from the first pause on.
pub(crate) fn a_third(ask: &Ask) -> Next {
    within(ask, |left| match ask.setback {
        RetryHint::Wait(_) => (left / 3).mul_f64(ask.dice),
        _ => doubled(ask).mul_f64(ask.dice),
    })
}

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(5);
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(250);

fn doubled(ask: &Ask) -> Duration {
    (FIRST * 2u32.pow((ask.attempts - 1).min(8))).min(LONGEST)
}

/// Pauses on top of what the server asks for, and ends at once where that does not fit. `pause` is
/// told the time left.
fn within(ask: &Ask, pause: impl FnOnce(Duration) -> Duration) -> Next {
    if ask.state == State::InProgress {
        return build_status(ask);
    }
    let left = ask.timeout.saturating_sub(ask.elapsed);
    let Some(longest) = left.checked_sub(SHORTEST_ATTEMPT) else {
        return Next::GiveUp(None);
    };
    let wait = match ask.setback {
        RetryHint::Wait(wait) if wait > longest => return Next::GiveUp(None),
        RetryHint::Wait(wait) => wait,
        _ => Duration::ZERO,
    };
    Next::TryAfter((wait + pause(left)).min(longest))
}
