//! How much a server takes, in virtual time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use build_status::http::retry::RetryHint;
use stand_in::{Buckets, Window};

/// How many requests a server takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limit {
    /// As many as come.
    None,
    /// Data Center's: so many at once, and so many a second more.
    Bucket { size: u32, per_second: u32 },
    /// Cloud's: so many in any such time.
    Window { requests: u32, length: Duration },
}

/// Data Center's limit where nobody has set another.
pub(crate) const DATA_CENTER: Limit = Limit::Bucket {
    size: 60,
    per_second: 5,
};

/// Cloud's limit.
pub(crate) const CLOUD: Limit = Limit::Window {
    requests: 1000,
    length: Duration::from_hours(1),
};

/// A time in which a server takes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outage {
    pub(crate) from: Duration,
    pub(crate) length: Duration,
    pub(crate) kind: Kind,
}

/// What an outage looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A connection that is refused, or 503: the client knows at once.
    Refuses,
    /// No packet comes back: the client waits for as long as an attempt may take to connect.
    Silent,
}

/// What a server says to one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Said {
    Stored,
    Not(RetryHint),
    Nothing,
}

/// A server with the limits of the stand-in, which are the same code.
pub(crate) struct Server {
    limiter: Limiter,
    outage: Option<Outage>,
    start: Instant,
}

enum Limiter {
    None,
    Buckets(Buckets),
    Window(Window),
}

impl Server {
    pub(crate) fn new(limit: Limit, outage: Option<Outage>) -> Self {
        Self {
            limiter: match limit {
                Limit::None => Limiter::None,
                Limit::Bucket { size, per_second } => {
                    Limiter::Buckets(Buckets::new(size, per_second))
                }
                Limit::Window { requests, length } => {
                    Limiter::Window(Window::new(requests, length))
                }
            },
            outage,
            start: Instant::now(),
        }
    }

    /// What it says to a request that arrives at `now`, which is never earlier than the one before.
    pub(crate) fn answer(&mut self, now: Duration) -> Said {
        if let Some(outage) = self.outage.filter(|outage| outage.covers(now)) {
            return match outage.kind {
                Kind::Refuses => Said::Not(RetryHint::Passing),
                Kind::Silent => Said::Nothing,
            };
        }
        let now = self.start + now;
        let everybody = String::new;
        match &mut self.limiter {
            Limiter::None => Said::Stored,
            Limiter::Buckets(buckets) => match buckets.take(everybody(), now).retry_after {
                None => Said::Stored,
                Some(wait) => Said::Not(RetryHint::Wait(Duration::from_secs(wait))),
            },
            Limiter::Window(window) => {
                if window.allows(everybody(), now) {
                    Said::Stored
                } else {
                    // Cloud does not say how long to wait.
                    Said::Not(RetryHint::Passing)
                }
            }
        }
    }
}

impl Outage {
    fn covers(&self, now: Duration) -> bool {
        self.from <= now && now < self.from + self.length
    }
}

/// How many of the reports that begin at `starts` a server is ready to store within `timeout` each:
/// as if they stood in a queue, and nobody asked in vain. `starts` are sorted.
pub(crate) fn ready_for(
    starts: &[Duration],
    timeout: Duration,
    limit: Limit,
    outage: Option<Outage>,
) -> usize {
    let mut queue = Queue {
        limit,
        outage,
        served: VecDeque::new(),
    };
    let mut now = Duration::ZERO;
    starts
        .iter()
        .filter(|start| {
            let turn = queue.turn(now.max(**start));
            let in_time = turn <= **start + timeout;
            if in_time {
                now = turn;
                queue.serve(turn);
            }
            in_time
        })
        .count()
}

struct Queue {
    limit: Limit,
    outage: Option<Outage>,
    /// For a bucket, when each of the tokens that are not there comes back.
    served: VecDeque<Duration>,
}

impl Queue {
    /// When a report can be stored, at `now` or later.
    fn turn(&mut self, now: Duration) -> Duration {
        let up = match self.outage.filter(|outage| outage.covers(now)) {
            Some(outage) => outage.from + outage.length,
            None => now,
        };
        let room = match self.limit {
            Limit::None => return up,
            Limit::Bucket { size, .. } => size,
            Limit::Window { requests, .. } => requests,
        };
        while self.served.front().is_some_and(|back| *back <= up) {
            self.served.pop_front();
        }
        if self.served.len() < room as usize {
            return up;
        }
        self.served[self.served.len() - room as usize]
    }

    fn serve(&mut self, turn: Duration) {
        let back = match self.limit {
            Limit::None => return,
            // A token at a time flows back.
            Limit::Bucket { per_second, .. } => {
                let last = self.served.back().copied().unwrap_or_default().max(turn);
                last + Duration::from_secs(1) / per_second
            }
            Limit::Window { length, .. } => turn + length,
        };
        self.served.push_back(back);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_bucket_is_ready_for_what_it_has_and_what_flows_in_until_the_last_moment() {
        for (jobs, timeout, expected) in [
            (60, 0, 60),
            (61, 0, 60),
            (150, 30, 150),
            (210, 30, 210),
            (250, 30, 210),
            (1000, 188, 1000),
            (1000, 187, 995),
        ] {
            let starts = vec![Duration::ZERO; jobs];
            let ready = ready_for(&starts, seconds(timeout), DATA_CENTER, None);
            assert_eq!(ready, expected, "{jobs} jobs in {timeout} s");
        }
    }

    #[test]
    fn a_bucket_that_is_not_used_is_full_again_and_no_fuller() {
        let starts: Vec<_> = [0, 1000]
            .into_iter()
            .flat_map(|at| [seconds(at); 250])
            .collect();
        assert_eq!(ready_for(&starts, seconds(30), DATA_CENTER, None), 420);
    }

    #[test]
    fn a_window_is_ready_for_as_many_as_it_has_forgotten() {
        let limit = Limit::Window {
            requests: 2,
            length: seconds(60),
        };
        let starts = [0, 10, 20, 40].map(seconds);
        assert_eq!(ready_for(&starts, seconds(30), limit, None), 3);
        assert_eq!(ready_for(&starts, seconds(40), limit, None), 4);
    }

    #[test]
    fn after_an_outage_a_bucket_is_full() {
        let outage = Outage {
            from: Duration::ZERO,
            length: seconds(20),
            kind: Kind::Refuses,
        };
        let starts = vec![Duration::ZERO; 200];
        let ready = |timeout| ready_for(&starts, seconds(timeout), DATA_CENTER, Some(outage));
        assert_eq!([19, 20, 30].map(ready), [0, 60, 110]);
        let mut server = Server::new(DATA_CENTER, Some(outage));
        assert_eq!(server.answer(seconds(19)), Said::Not(RetryHint::Passing));
        assert_eq!(server.answer(seconds(20)), Said::Stored);
    }
}
