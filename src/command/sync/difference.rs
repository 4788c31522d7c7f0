//! What Bitbucket has against what it ought to have.

use std::collections::BTreeMap;

use crate::bitbucket::delivery::{Delivery, Kept};
use crate::bitbucket::guard;
use crate::bitbucket::statuses::{self, Listed, Status};
use crate::command::sync::claims::{Wanted, When};
use crate::status::state::State;

/// What is to be done about a status.
#[derive(Debug, PartialEq)]
pub(super) enum Difference {
    /// It is sent.
    Send,
    /// A newer run has another.
    Kept(Kept),
    /// It is there.
    Right,
    /// Its job has not ended.
    Running,
    /// There is nothing to say.
    Nothing,
}

/// The statuses that a commit has, by key.
pub(super) struct Theirs {
    by_key: BTreeMap<String, Vec<Status>>,
    /// Whether there may be more than these.
    is_cut: bool,
}

impl Theirs {
    pub(super) fn new(listed: Listed) -> Self {
        let Listed { statuses, is_cut } = listed;
        let mut by_key: BTreeMap<String, Vec<Status>> = BTreeMap::new();
        for status in statuses {
            by_key.entry(status.key.clone()).or_default().push(status);
        }
        Self { by_key, is_cut }
    }

    /// Compares. Asks for what the list of Data Center has left out, and what it can do; where it does
    /// not tell, the status is sent.
    pub(super) fn compare(&self, wanted: &Wanted, delivery: &mut Delivery<'_, '_>) -> Difference {
        let Wanted { report, when, .. } = wanted;
        if *when == When::Never {
            return Difference::Running;
        }
        let asked;
        let theirs = match self.by_key.get(&report.key) {
            Some(listed) => listed,
            None if self.is_cut => {
                let found = statuses::of_report(delivery, report);
                asked = Vec::from_iter(found.unwrap_or_default());
                &asked
            }
            None => &Vec::new(),
        };
        for status in theirs {
            if status.url.as_ref() == Some(&report.url)
                && guard::says(status, report.state, delivery)
            {
                return Difference::Right;
            }
        }
        let is_in_progress = |status: &Status| {
            let is_own = wanted.is_of_job || status.url.as_ref() == Some(&report.url);
            is_own && status.state == State::InProgress.as_str()
        };
        // A namesake in another child pipeline is no newer run, whatever its number.
        let mut others = theirs
            .iter()
            .filter(|it| !wanted.namesakes.contains(&it.url));
        let kept = others.find_map(|it| guard::kept(it, report));
        match (when, kept) {
            (When::InProgress, Some(_)) => Difference::Nothing,
            (When::InProgress, None) if !theirs.iter().any(is_in_progress) => Difference::Nothing,
            (_, Some(kept)) => Difference::Kept(kept),
            (_, None) => Difference::Send,
        }
    }
}
