//! Counts of tests.

use std::fmt;
use std::ops::AddAssign;

use serde::Serialize;

/// How many tests ended how. The names are Bitbucket Data Center's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TestResults {
    /// Failed, or broken by an error.
    pub failed: u32,
    /// Left out.
    pub skipped: u32,
    /// Passed.
    pub successful: u32,
}

impl AddAssign for TestResults {
    fn add_assign(&mut self, other: Self) {
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.successful = self.successful.saturating_add(other.successful);
    }
}

/// `212 passed, 3 failed, 1 skipped`
impl fmt::Display for TestResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed", self.successful)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_failed_and_skipped_are_not_said() {
        let results = |successful, failed, skipped| TestResults {
            failed,
            skipped,
            successful,
        };
        assert_eq!(
            results(212, 3, 1).to_string(),
            "212 passed, 3 failed, 1 skipped"
        );
        assert_eq!(results(1, 0, 0).to_string(), "1 passed");
        assert_eq!(results(0, 1, 0).to_string(), "0 passed, 1 failed");
    }
}
