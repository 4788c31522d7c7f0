//! Storms, described.

use std::time::Duration;

use crate::limit::{CLOUD, DATA_CENTER, Kind, Limit, Outage};
use crate::runs::float;
use crate::simulation::Scenario;

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Jobs that report at the same time, to Data Center, in the 30 s that are the default.
pub(crate) fn at_once(jobs: usize) -> Scenario {
    Scenario {
        starts: vec![Duration::ZERO; jobs],
        timeout: seconds(30),
        limit: DATA_CENTER,
        outage: None,
        announced: None,
        way: Duration::from_millis(5),
    }
}

/// Jobs that report one after the other, at the same distance.
pub(crate) fn in_a_row(jobs: usize, over: Duration) -> Scenario {
    let step = over.div_f64(float(jobs));
    let start = |job| step.mul_f64(float(job));
    Scenario {
        starts: (0..jobs).map(start).collect(),
        ..at_once(0)
    }
}

impl Scenario {
    /// The same, and jobs that report at any moment of this time.
    pub(crate) fn and(mut self, jobs: usize, over: Duration, seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let moments = (0..jobs).map(|_| over.mul_f64(dice.f64()));
        self.starts.extend(moments);
        self.starts.sort_unstable();
        self
    }

    pub(crate) fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    pub(crate) fn against(self, limit: Limit) -> Self {
        Self { limit, ..self }
    }

    pub(crate) fn after_inprogress(self, work: Duration) -> Self {
        let announced = Some(work);
        Self { announced, ..self }
    }

    pub(crate) fn in_outage(self, from: Duration, length: Duration, kind: Kind) -> Self {
        let outage = Some(Outage { from, length, kind });
        Self { outage, ..self }
    }
}

/// Four jobs a second; after a time half as long as the outage nobody gets through, and once it is
/// over they keep coming for as long as it was.
pub(crate) fn stream_through_outage(length: Duration, timeout: Duration, seed: u64) -> Scenario {
    let over = length * 5 / 2;
    let jobs = usize::try_from(over.as_secs() * 4).unwrap_or(usize::MAX);
    let scenario = at_once(0).and(jobs, over, seed).within(timeout);
    scenario.in_outage(length / 2, length, Kind::Refuses)
}

/// What is done with processes.
pub(crate) fn real() -> Vec<(String, Scenario)> {
    let scaled = Limit::Window {
        requests: 100,
        length: seconds(20),
    };
    let mut storms: Vec<_> = [60, 100, 150, 200, 205, 210, 250]
        .into_iter()
        .map(|jobs| (format!("{jobs} at once"), at_once(jobs)))
        .collect();
    let thousand = || in_a_row(1000, seconds(100)).within(seconds(120));
    let many = [
        ("1,000 at once, 200 s", at_once(1000).within(seconds(200))),
        ("1,000 over 100 s, 120 s", thousand()),
        (
            "1,000 over 100 s, 120 s, INPROGRESS 20 s before",
            thousand().after_inprogress(seconds(20)),
        ),
        (
            "150 at once, INPROGRESS 20 s before",
            at_once(150).after_inprogress(seconds(20)),
        ),
        (
            "150 at once, INPROGRESS 2 s before",
            at_once(150).after_inprogress(seconds(2)),
        ),
        (
            "100 at once, 503 for 20 s",
            at_once(100).in_outage(Duration::ZERO, seconds(20), Kind::Refuses),
        ),
        ("Cloud: 1,000 at once", at_once(1000).against(CLOUD)),
        ("Cloud: 1,250 at once", at_once(1250).against(CLOUD)),
        (
            "Cloud: 600 at once, INPROGRESS 20 s before",
            at_once(600).against(CLOUD).after_inprogress(seconds(20)),
        ),
        (
            "100 in any 20 s, as Cloud says it: 250 at once, 60 s",
            at_once(250).against(scaled).within(seconds(60)),
        ),
    ];
    storms.extend(many.map(|(name, scenario)| (name.to_owned(), scenario)));
    storms
}
