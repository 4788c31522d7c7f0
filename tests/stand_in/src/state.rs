//! What the server stores, whichever Bitbucket it stands in for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::credential::Credential;
use crate::known::Known;
use crate::limits::{Buckets, Window};
use crate::oauth::Tokens;
use crate::rules::Rules;
use crate::status::Status;

/// What the server knows and what it was told.
#[derive(Debug)]
pub(crate) struct State {
    /// The server's own address, for links in answers.
    pub(crate) url: String,
    pub(crate) known: Known,
    pub(crate) rules: Rules,
    /// When the request in hand arrived.
    pub(crate) now: Instant,
    pub(crate) tokens: Tokens,
    pub(crate) buckets: Option<Buckets>,
    pub(crate) window: Option<Window>,
    /// How many requests Data Center answered.
    pub(crate) requests: usize,
    /// How many Basic logins Data Center refused.
    pub(crate) failed_logins: usize,
    /// How many of them each user had since the last good one.
    pub(crate) wrong_passwords: HashMap<String, usize>,
    history: Vec<Status>,
    stored: Vec<Stored>,
    by_commit: HashMap<String, Vec<usize>>,
    by_key: HashMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct Stored {
    status: Status,
    owner: Arc<Credential>,
}

/// The status is another credential's.
#[derive(Debug)]
pub(crate) struct NotTheOwner;

impl State {
    pub(crate) fn new(url: String, known: Known, rules: Rules) -> Self {
        let buckets = rules.token_bucket;
        let window = rules.hourly_limit;
        Self {
            url,
            known,
            rules,
            now: Instant::now(),
            tokens: Tokens::default(),
            buckets: buckets.map(|(size, rate)| Buckets::new(size, rate)),
            window: window.map(|(requests, length)| Window::new(requests, length)),
            requests: 0,
            failed_logins: 0,
            wrong_passwords: HashMap::new(),
            history: Vec::new(),
            stored: Vec::new(),
            by_commit: HashMap::new(),
            by_key: HashMap::new(),
        }
    }

    /// Each accepted POST.
    pub(crate) fn history(&self) -> &[Status] {
        &self.history
    }

    /// Every status that there is now, in the order of creation.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Status> {
        self.stored.iter().map(|stored| &stored.status)
    }

    /// What Data Center has for a commit, in every repository, in the order of creation.
    pub(crate) fn on_data_center(&self, commit: &str) -> impl Iterator<Item = &Status> {
        self.all()
            .filter(move |status| status.data_center.is_some() && status.commit == commit)
    }

    /// The statuses of one commit in one repository of Cloud, in the order of creation.
    pub(crate) fn of_commit(
        &self,
        workspace: &str,
        slug: &str,
        commit: &str,
    ) -> impl DoubleEndedIterator<Item = &Status> {
        let indexes = self.by_commit.get(&place(workspace, slug, commit));
        indexes
            .into_iter()
            .flatten()
            .map(|&index| &self.stored[index].status)
    }

    /// Creates the status or overwrites the one of the same identity; sets its dates and `created`.
    pub(crate) fn put(
        &mut self,
        mut status: Status,
        caller: &Arc<Credential>,
    ) -> Result<&Status, NotTheOwner> {
        let on_cloud = status.data_center.is_none();
        let mut place = place(&status.workspace, &status.repository, &status.commit);
        if !on_cloud {
            place.insert_str(0, "Data Center ");
        }
        let place_and_key = format!("{place} {}", status.key);
        let existing = if on_cloud {
            self.same_identity(&place_and_key, status.refname.as_deref())
        } else {
            let same_key = self.by_key.get(&place_and_key);
            same_key.and_then(|indexes| indexes.first()).copied()
        };
        status.updated_on = date(self.history.len());
        if let Some(index) = existing {
            let stored = &mut self.stored[index];
            // On Cloud, since 2021-05-21, only the creator may; repository admins are exempt.
            if on_cloud && stored.owner.kind != caller.kind && !caller.admin {
                return Err(NotTheOwner);
            }
            status.created = false;
            status.created_on.clone_from(&stored.status.created_on);
            if on_cloud {
                status.refname.clone_from(&stored.status.refname);
            }
            stored.status = status.clone();
        } else {
            status.created = true;
            status.created_on.clone_from(&status.updated_on);
            let index = self.stored.len();
            self.by_commit.entry(place).or_default().push(index);
            self.by_key.entry(place_and_key).or_default().push(index);
            self.stored.push(Stored {
                status: status.clone(),
                owner: Arc::clone(caller),
            });
        }
        self.history.push(status);
        Ok(&self.history[self.history.len() - 1])
    }

    /// Forgets a status of Data Center, and says whether there was one.
    pub(crate) fn delete(&mut self, project: &str, slug: &str, commit: &str, key: &str) -> bool {
        let found = self.stored.iter().position(|Stored { status, .. }| {
            let on_data_center = status.data_center.is_some();
            let place = [
                &status.workspace,
                &status.repository,
                &status.commit,
                &status.key,
            ];
            on_data_center && place == [project, slug, commit, key]
        });
        let Some(gone) = found else { return false };
        self.stored.remove(gone);
        for indexes in self.by_commit.values_mut().chain(self.by_key.values_mut()) {
            indexes.retain(|index| *index != gone);
            (indexes.iter_mut().filter(|index| **index > gone)).for_each(|index| *index -= 1);
        }
        true
    }

    /// Where the status that a POST to Cloud overwrites is stored.
    ///
    /// Refname is part of the identity and cannot be set back to null (observed by Jenkins'
    /// bitbucket-branch-source, PR #930): without one, the only status of the key is meant.
    fn same_identity(&self, place_and_key: &str, refname: Option<&str>) -> Option<usize> {
        let same_key = self.by_key.get(place_and_key)?;
        let refname_of = |index: usize| self.stored[index].status.refname.as_deref();
        let same = same_key.iter().find(|index| refname_of(**index) == refname);
        match same_key[..] {
            [only] if refname.is_none() => Some(only),
            _ => same.copied(),
        }
    }
}

fn place(workspace: &str, slug: &str, commit: &str) -> String {
    format!("{workspace}/{slug}/{commit}")
}

/// A date as milliseconds since 1970.
pub(crate) fn milliseconds(date: &str) -> u64 {
    let start = 1_767_225_600_000; // 2026-01-01
    let number = |range| date.get(range).and_then(|digits: &str| digits.parse().ok());
    let [hour, minute, second, millisecond] =
        [11..13, 14..16, 17..19, 20..23].map(|range| number(range).unwrap_or(0));
    start + ((hour * 60 + minute) * 60 + second) * 1000 + millisecond
}

/// The clock after so many accepted POSTs: a test gives the same dates whenever it runs.
fn date(posts: usize) -> String {
    let (seconds, millisecond) = (posts / 1000, posts % 1000);
    let (minutes, second) = (seconds / 60, seconds % 60);
    let (hour, minute) = (minutes / 60 % 24, minutes % 60);
    format!("2026-01-01T{hour:02}:{minute:02}:{second:02}.{millisecond:03}000+00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_a_millisecond_for_each_post() {
        assert_eq!(date(0), "2026-01-01T00:00:00.000000+00:00");
        assert_eq!(date(3_723_004), "2026-01-01T01:02:03.004000+00:00");
        assert_eq!(
            milliseconds(&date(3_723_004)),
            1_767_225_600_000 + 3_723_004
        );
    }
}
