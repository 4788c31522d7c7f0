//! How many requests a credential may make.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Data Center's limit: a bucket of tokens for each credential, one token for each request.
#[derive(Debug)]
pub struct Buckets {
    size: u32,
    per_second: u32,
    tokens: HashMap<String, (f64, Instant)>,
}

/// What a bucket says after a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// How many tokens there can be.
    pub size: u32,
    /// How many flow in.
    pub per_second: u32,
    /// Whole tokens left.
    pub remaining: u32,
    /// Seconds until there is a token, when there was none for this request.
    pub retry_after: Option<u64>,
}

impl Buckets {
    /// Full buckets of `size` tokens, refilled at this rate.
    pub fn new(size: u32, per_second: u32) -> Self {
        let empty = size == 0 || per_second == 0;
        assert!(!empty, "a bucket of {size} tokens, {per_second} a second");
        Self {
            size,
            per_second,
            tokens: HashMap::new(),
        }
    }

    /// Takes a token of this credential, when it has one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to the bucket's size"
    )]
    pub fn take(&mut self, who: String, now: Instant) -> Budget {
        let (size, rate) = (f64::from(self.size), f64::from(self.per_second));
        let (tokens, at) = self.tokens.entry(who).or_insert((size, now));
        *tokens = size.min(*tokens + rate * now.duration_since(*at).as_secs_f64());
        *at = now;
        let missing = 1.0 - *tokens;
        if missing <= 0.0 {
            *tokens -= 1.0;
        }
        Budget {
            size: self.size,
            per_second: self.per_second,
            remaining: *tokens as u32,
            retry_after: (missing > 0.0).then(|| (missing / rate).ceil() as u64),
        }
    }
}

/// Cloud's limit: so many requests of each credential in any stretch of time.
#[derive(Debug)]
pub struct Window {
    requests: usize,
    length: Duration,
    served: HashMap<String, VecDeque<Instant>>,
}

impl Window {
    /// So many requests in any stretch of this length.
    pub fn new(requests: u32, length: Duration) -> Self {
        Self {
            requests: requests as usize,
            length,
            served: HashMap::new(),
        }
    }

    /// Whether this credential may make a request now. One that it may not make does not count.
    pub fn allows(&mut self, who: String, now: Instant) -> bool {
        let served = self.served.entry(who).or_default();
        while (served.front()).is_some_and(|at| now.duration_since(*at) >= self.length) {
            served.pop_front();
        }
        let allowed = served.len() < self.requests;
        if allowed {
            served.push_back(now);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_what_it_has_and_then_what_flows_in() {
        let mut buckets = Buckets::new(2, 1);
        let start = Instant::now();
        let mut take = |who: &str, milliseconds| {
            let now = start + Duration::from_millis(milliseconds);
            let budget = buckets.take(who.to_owned(), now);
            (budget.remaining, budget.retry_after)
        };
        assert_eq!(take("a", 0), (1, None));
        assert_eq!(take("a", 0), (0, None));
        assert_eq!(take("a", 0), (0, Some(1)));
        assert_eq!(take("b", 0), (1, None));
        assert_eq!(take("a", 999), (0, Some(1)));
        assert_eq!(take("a", 1000), (0, None));
        assert_eq!(take("a", 60_000), (1, None));
    }

    #[test]
    fn a_window_rolls() {
        let mut window = Window::new(2, Duration::from_mins(1));
        let start = Instant::now();
        let mut allows = |who: &str, seconds| {
            window.allows(who.to_owned(), start + Duration::from_secs(seconds))
        };
        assert!(allows("a", 0) && allows("a", 30));
        assert!(!allows("a", 59));
        assert!(allows("b", 59));
        assert!(allows("a", 60));
        assert!(!allows("a", 89));
        assert!(allows("a", 90));
    }
}
