//! One deadline for everything: git, files, test reports and HTTP.

use std::time::{Duration, Instant};

/// A start and a time limit. It is passed down, so that each part sees the time that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    started: Instant,
    total: Duration,
}

impl Deadline {
    /// A deadline that starts now.
    pub fn after(total: Duration) -> Self {
        Self::since(Instant::now(), total)
    }

    /// A deadline that started at `started`.
    pub const fn since(started: Instant, total: Duration) -> Self {
        Self { started, total }
    }

    /// A deadline for one part: it starts now, lasts `most`, and ends with the whole at the latest.
    #[must_use]
    pub fn part(self, most: Duration) -> Self {
        Self::after(self.left().min(most))
    }

    /// The time limit, counted from the start.
    pub const fn total(self) -> Duration {
        self.total
    }

    /// The time since the start.
    pub fn elapsed(self) -> Duration {
        self.started.elapsed()
    }

    /// The time that is left.
    pub fn left(self) -> Duration {
        self.total.saturating_sub(self.elapsed())
    }

    /// Whether no time is left.
    pub fn is_over(self) -> bool {
        self.left().is_zero()
    }
}
