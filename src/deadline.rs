//! One deadline for everything: git, files, test reports and HTTP.

use std::time::{Duration, Instant};

/// A start and a time limit. It is passed down, so that each part sees the time that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    started: Instant,
    total: Duration,
}

impl Deadline {
    /// A deadline that starts now.
    pub(crate) fn after(total: Duration) -> Self {
        Self::since(Instant::now(), total)
    }

    /// A deadline that started at `started`.
    pub(crate) const fn since(started: Instant, total: Duration) -> Self {
        Self { started, total }
    }

    /// A deadline for one part: it starts now, lasts `most`, and ends with the whole at the latest.
    #[must_use]
    pub(crate) fn part(self, most: Duration) -> Self {
        Self::after(self.left().min(most))
    }

    /// The time limit, counted from the start.
    pub(crate) const fn total(self) -> Duration {
        self.total
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.started.elapsed()
    }

    /// The time that is left.
    pub(crate) fn left(self) -> Duration {
        self.total.saturating_sub(self.elapsed())
    }

    /// Whether no time is left.
    pub(crate) fn is_over(self) -> bool {
        self.left().is_zero()
    }
}
