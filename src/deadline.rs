//! One deadline for everything that we do ourselves: git, files, test reports, HTTP.

use std::time::{Duration, Instant};

/// When we started, and until when everything must be done. It is handed down, so that each part
/// sees what the others have left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    started: Instant,
    total: Duration,
}

impl Deadline {
    /// Starts the clock.
    pub(crate) fn after(total: Duration) -> Self {
        Self::since(Instant::now(), total)
    }

    /// The same for a clock that was started before.
    pub(crate) const fn since(started: Instant, total: Duration) -> Self {
        Self { started, total }
    }

    /// A deadline of its own for one part, which starts now and ends with the whole at the latest.
    #[must_use]
    pub(crate) fn part(self, most: Duration) -> Self {
        Self::after(self.left().min(most))
    }

    /// All the time that there is from the start.
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

    /// Whether there is none left.
    pub(crate) fn is_over(self) -> bool {
        self.left().is_zero()
    }
}
