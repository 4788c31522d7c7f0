//! Questions to GitLab's API, page by page.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::utf8_percent_encode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::deadline::Deadline;
use crate::error::{Error, Server};
use crate::gitlab::pipeline::{About, Child, Job, Pipeline};
use crate::gitlab::server::GitLab;
use crate::gitlab::verdict;
use crate::http::judge;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::http::retry::Policy;
use crate::http::session::{self, Session};
use crate::output;
use crate::output::log::Log;
use crate::status::url::SEGMENT;

/// GitLab cuts what is more. <https://docs.gitlab.com/api/rest/#pagination>
const PER_PAGE: usize = 100;

/// Nothing has more pages: a server that says so does not end.
const MOST_PAGES: u32 = 1000;

/// How often a list of jobs is read that does not hold still.
const MOST_READS: usize = 3;

/// Nor has a pipeline more jobs.
const MOST_ROWS: usize = 50_000;

/// A conversation with one GitLab.
pub(crate) struct Reader<'a, 'l> {
    gitlab: &'a GitLab,
    session: Session<'a, 'l>,
    /// Until when what may pass is tried again.
    until: Duration,
}

impl<'a, 'l> Reader<'a, 'l> {
    /// Asks it, until `deadline`.
    pub(crate) fn new(gitlab: &'a GitLab, deadline: Deadline, log: &'a mut Log<'l>) -> Self {
        log.hide([gitlab.token.secret().clone()]);
        let policy = Policy::one_of_many(deadline.total(), deadline.total());
        let session = Session::new(&gitlab.client, policy, deadline, log);
        let until = deadline.total();
        Self {
            gitlab,
            session,
            until,
        }
    }

    /// Lets the next requests try for so long.
    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.until = self.session.deadline().elapsed() + patience;
        self.change_policy();
    }

    /// Leaves half of the time to what follows.
    fn leave_half(&mut self) {
        let deadline = self.session.deadline();
        self.until = self.until.min(deadline.elapsed() + deadline.left() / 2);
        self.change_policy();
    }

    fn change_policy(&mut self) {
        let total = self.session.deadline().total();
        self.session
            .change_policy(Policy::one_of_many(total, self.until));
    }

    /// Tells what is missing, whose reason is told in the end.
    pub(crate) fn warn(&mut self, text: &str) {
        self.session.log().warn(text);
    }

    /// How many of the pipeline's jobs a first page of one shows.
    pub(crate) fn first_job(&mut self, pipeline: u64) -> Result<usize, Error> {
        let path = format!("pipelines/{pipeline}/jobs?per_page=1");
        let (rows, _) = self.page::<Job>(&path)?;
        Ok(rows.len())
    }

    /// A pipeline with all its jobs and, where the token may read these, its child pipelines'.
    pub(crate) fn pipeline(&mut self, id: u64) -> Result<Pipeline, Error> {
        let mut found = Pipeline::default();
        let mut jobs: Vec<Job> = Vec::new();
        let (mut pipelines, mut known) = (BTreeSet::from([id]), BTreeSet::new());
        let mut unread = vec![(id, false, false)];
        while let Some((id, is_child, is_below_tolerated)) = unread.pop() {
            let rows = match self.all_jobs(id, pipelines.len() == 1, &mut found) {
                Err(error) if is_child => {
                    found.is_cut = true;
                    found.problems.push(error);
                    continue;
                }
                rows => rows?,
            };
            for mut job in rows {
                let child = job
                    .downstream_pipeline
                    .as_ref()
                    .filter(|it| self.is_here(it) && it.is_child_of(&job.pipeline));
                if let Some(child) = child.filter(|it| pipelines.insert(it.id)) {
                    let is_tolerated = is_below_tolerated || job.allow_failure;
                    unread.push((child.id, true, is_tolerated));
                    found.children.push(Child {
                        about: child.clone(),
                        is_tolerated,
                    });
                }
                // Where rows moved down while pages were read, they are seen twice.
                if known.insert((job.id, job.status.clone())) {
                    job.is_child = is_child || job.pipeline.is_child();
                    job.is_below_tolerated = is_below_tolerated;
                    jobs.push(job);
                }
            }
            if jobs.len() > MOST_ROWS {
                return Err(endless(&format!("pipeline {id}")));
            }
        }
        let about = jobs.first().map(|job| job.pipeline.clone());
        let about = about.unwrap_or_default();
        Ok(Pipeline {
            about,
            jobs,
            ..found
        })
    }

    /// Whether a downstream pipeline is of this project.
    fn is_here(&self, pipeline: &About) -> bool {
        let is_own = |project: u64| project.to_string() == self.gitlab.project;
        pipeline.project_id.is_none_or(is_own)
    }

    /// Jobs and trigger jobs of one pipeline.
    fn all_jobs(
        &mut self,
        id: u64,
        is_first: bool,
        found: &mut Pipeline,
    ) -> Result<Vec<Job>, Error> {
        let pipeline = format!("pipelines/{id}");
        let (mut rows, mut problems) = self.jobs(&format!("{pipeline}/jobs?"))?;
        if is_first {
            // Without the rest, the jobs are reported all the same.
            self.leave_half();
        }
        let bridges = match self.jobs(&format!("{pipeline}/bridges?")) {
            // Its name from 19.2 on.
            Err(error) if error.http_status() == Some(404) => {
                let renamed = self.jobs(&format!("{pipeline}/trigger_jobs?"));
                renamed.map_err(|_| error)
            }
            answer => answer,
        };
        match bridges {
            Ok((bridges, further)) => {
                rows.extend(bridges);
                problems.extend(further);
            }
            // A token that may not read jobs is shown none, without a refusal.
            Err(error) if error.exit_code() == 4 && rows.is_empty() && is_first => {
                return Err(self.no_jobs(id));
            }
            Err(error) if error.exit_code() == 4 && error.http_status() > Some(400) => {
                let hint = error.hint().unwrap_or_default().into_owned();
                let warning = format!(
                    "trigger jobs and child pipelines are left out, and the pipeline is not said to \
                     have passed: {error} ({hint})"
                );
                self.session.log().warn(&warning);
                found.is_cut = true;
            }
            Err(error @ Error::Cancelled) => return Err(error),
            Err(error) if rows.is_empty() => return Err(error),
            // What cannot be read hides no job.
            Err(error) => problems.push(error),
        }
        found.is_cut |= !problems.is_empty();
        found.problems.extend(problems);
        Ok(rows)
    }

    /// What it means that a pipeline which has jobs shows none.
    pub(crate) fn no_jobs(&self, pipeline: u64) -> Error {
        let message = format!("GitLab shows no jobs of pipeline {pipeline} to this token");
        verdict::no_jobs(self.gitlab, &message)
    }

    /// The pipelines that have changed since then, the newest first. Children are not among them.
    /// With them, why some cannot be read.
    pub(crate) fn pipelines_since(
        &mut self,
        time: SystemTime,
    ) -> Result<(Vec<About>, Vec<Error>), Error> {
        let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        // A `+` in it would be a space.
        let time = utf8_percent_encode(&output::rfc3339(time), SEGMENT).to_string();
        let (rows, problems, _) = self.all(&format!("pipelines?updated_after={time}&"))?;
        Ok((rows, problems))
    }

    /// The branch that a merge request is from.
    pub(crate) fn source_branch(&mut self, merge_request: u64) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct MergeRequest {
            source_branch: String,
        }
        let response = self.get(&format!("merge_requests/{merge_request}"))?;
        let shown: Option<MergeRequest> = serde_json::from_slice(&response.body).ok();
        shown
            .map(|it| it.source_branch)
            .ok_or_else(|| judge::not_from(Server::GitLab, &response))
    }

    /// All jobs of a list. A job that is retried meanwhile leaves its page for the first, which has been
    /// read: its row is missing, and others are seen twice. Then they are read anew.
    fn jobs(&mut self, path: &str) -> Result<(Vec<Job>, Vec<Error>), Error> {
        let mut reads = 0;
        loop {
            reads += 1;
            let (rows, mut problems, least) = self.all::<Job>(path)?;
            let mut ids = BTreeSet::new();
            ids.extend(rows.iter().map(|job| job.id));
            let is_moved = |least| ids.len() < rows.len() || ids.len() + problems.len() < least;
            let is_moved = least.is_some_and(is_moved);
            if is_moved && reads < MOST_READS {
                continue;
            }
            if is_moved {
                problems.push(moved(path));
            }
            return Ok((rows, problems));
        }
    }

    /// All rows of all pages, and why some of them cannot be read. Of several pages, also how many rows
    /// there are at least, as far as GitLab says.
    fn all<T: DeserializeOwned>(&mut self, path: &str) -> Result<All<T>, Error> {
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        let mut page = Some(1);
        let mut before = Vec::new();
        let mut least = None;
        while let Some(number) = page {
            let (rows, response) =
                self.page::<Box<RawValue>>(&format!("{path}per_page={PER_PAGE}&page={number}"))?;
            let texts: Vec<_> = rows.iter().map(|row| row.get().to_owned()).collect();
            page = next_page(&response, number, rows.len());
            let total = response
                .header("x-total")
                .and_then(|it| it.trim().parse().ok());
            least = (number > 1).then_some(total.unwrap_or(0));
            let is_endless = number > MOST_PAGES || all.len() + problems.len() > MOST_ROWS;
            if is_endless || (!texts.is_empty() && texts == before) {
                return Err(endless(path));
            }
            for text in &texts {
                match serde_json::from_str(text) {
                    Ok(row) => all.push(row),
                    Err(error) => problems.push(unreadable(path, text, &error)),
                }
            }
            before = texts;
        }
        // Where not one row is GitLab's, none of it is.
        match problems.first() {
            Some(first) if all.is_empty() => Err(first.clone()),
            _ => Ok((all, problems, least)),
        }
    }

    fn page<T: DeserializeOwned>(&mut self, path: &str) -> Result<(Vec<T>, Response), Error> {
        let mut response = self.get(path)?;
        let body = std::mem::take(&mut response.body);
        match serde_json::from_slice(&body) {
            Ok(rows) => Ok((rows, response)),
            Err(_) => Err(judge::not_from(Server::GitLab, &response)),
        }
    }

    fn get(&mut self, path: &str) -> Result<Response, Error> {
        let GitLab { root, project, .. } = self.gitlab;
        let project = utf8_percent_encode(project, SEGMENT);
        let request = Request::page(format!("{root}/projects/{project}/{path}"));
        let judge = |response: &Response| verdict::judge(response, self.gitlab, SystemTime::now());
        let request = self.gitlab.token.sign(request);
        session::accepted(self.session.send(&request, &judge))
    }
}

type All<T> = (Vec<T>, Vec<Error>, Option<usize>);

/// The number behind `page`, which has so many rows. `Link` would say it too, with the host of
/// GitLab's configuration, which may not be the one that was asked.
fn next_page(response: &Response, page: u32, rows: usize) -> Option<u32> {
    let next = response.header("x-next-page").map(str::trim);
    let goes_on = match next {
        Some("") => false,
        Some(next) if rows < PER_PAGE => next.parse() == Ok(page + 1),
        // A number that cannot be is no end.
        Some(_) => true,
        None => rows >= PER_PAGE,
    };
    goes_on.then_some(page + 1)
}

fn name(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

fn endless(path: &str) -> Error {
    let list = name(path);
    let message = format!("GitLab's list {list} does not end, or repeats a page");
    Error::unexpected(message, Some("check what stands in front of GitLab"))
}

fn moved(path: &str) -> Error {
    let list = name(path);
    let message = format!(
        "GitLab's list {list} changed each time while its pages were read, so that jobs may be missing"
    );
    Error::unexpected(message, Some("run this again"))
}

fn unreadable(path: &str, row: &str, error: &serde_json::Error) -> Error {
    let list = name(path);
    let row: Value = serde_json::from_str(row).unwrap_or_default();
    let name = row["name"].as_str().unwrap_or_default();
    let id = &row["id"];
    let message = format!("an entry of GitLab's list {list} is left out: {id} {name}: {error}");
    Error::unexpected(message, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_on_as_the_header_says_and_never_back() {
        for (header, page, rows, next) in [
            (Some("2"), 1, 100, Some(2)),
            (Some(""), 2, 100, None),
            (Some("1"), 1, 100, Some(2)),
            (Some("x"), 1, 100, Some(2)),
            (Some("-1"), 1, 100, Some(2)),
            (Some("9"), 1, 100, Some(2)),
            (Some("x"), 1, 99, None),
            (Some("2"), 1, 99, Some(2)),
            (None, 1, 100, Some(2)),
            (None, 1, 99, None),
        ] {
            let header = header.map(|text| ("x-next-page".to_owned(), text.to_owned()));
            let response = Response {
                headers: header.into_iter().collect(),
                ..Response::default()
            };
            assert_eq!(next_page(&response, page, rows), next, "{response:?}");
        }
    }
}
