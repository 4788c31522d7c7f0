//! Several runs of one storm, and figures of them.

use std::time::Duration;

use crate::rules::Rule;
use crate::simulation::{Scenario, Tally, simulate};

/// Several runs with other dice.
pub(crate) struct Runs(Vec<Tally>);

impl Runs {
    pub(crate) fn of(scenario: impl Fn(u64) -> Scenario, rule: Rule, runs: u64) -> Self {
        Self(
            (0..runs)
                .map(|seed| simulate(&scenario(seed), rule, seed))
                .collect(),
        )
    }

    pub(crate) fn mean(&self, of: impl Fn(&Tally) -> usize) -> f64 {
        self.0.iter().map(|tally| float(of(tally))).sum::<f64>() / float(self.0.len())
    }

    pub(crate) fn needlessly(&self) -> f64 {
        self.mean(Tally::needlessly)
    }

    /// Requests for each final status stored.
    pub(crate) fn cost(&self) -> String {
        let stored = self.mean(|tally| tally.stored);
        if stored < 0.5 {
            return "-".into();
        }
        format!("{:.1}", self.mean(|tally| tally.requests) / stored)
    }

    /// Mean wait of a final report.
    pub(crate) fn wait(&self) -> Duration {
        let waits = self
            .0
            .iter()
            .map(|tally| tally.waited.div_f64(float(tally.jobs)));
        waits.sum::<Duration>().div_f64(float(self.0.len()))
    }

    pub(crate) fn slowest(&self) -> Duration {
        self.0
            .iter()
            .map(|tally| tally.slowest)
            .max()
            .unwrap_or_default()
    }

    pub(crate) fn range<T: Ord>(
        &self,
        of: impl Fn(&Tally) -> T,
        show: impl Fn(T) -> String,
    ) -> String {
        let least = self.0.iter().map(&of).min().map(&show).unwrap_or_default();
        let most = self.0.iter().map(&of).max().map(&show).unwrap_or_default();
        if least == most {
            least
        } else {
            format!("{least} to {most}")
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

pub(crate) fn tenths(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// A count, or the mean of counts, with a comma between thousands.
pub(crate) fn number(mean: f64) -> String {
    let text = format!("{mean:.1}");
    let (whole, tenth) = text.split_once('.').unwrap_or((&text, "0"));
    let groups: Vec<_> = whole
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(String::from_utf8_lossy)
        .collect();
    let whole = groups.join(",");
    if tenth == "0" || mean >= 1000.0 {
        whole
    } else {
        format!("{whole}.{tenth}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_easy_to_read() {
        assert_eq!(
            [0.0, 0.04, 7.25, 999.9, 1234.5, 1_000_000.0].map(number),
            ["0", "0", "7.2", "999.9", "1,234", "1,000,000"]
        );
    }
}
