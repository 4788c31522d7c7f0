//! The parameters of a request.

use std::cmp::Reverse;
use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::instance::{Job, Pipeline};
use super::says;
use crate::percent::decode;
use crate::received::Received;
use crate::reply::Reply;

/// Of jobs and pipelines.
const STATUSES: &str = "created waiting_for_resource preparing waiting_for_callback pending running \
                        success failed canceling canceled skipped manual scheduled";
/// Of pipelines; GitLab has some more, which no test needs.
const SOURCES: &str = "push web trigger schedule api external pipeline chat webide \
                       merge_request_event external_pull_request_event parent_pipeline";
/// Filters that GitLab has and the stand-in has not.
const NOT_HERE: &str = "scope username name yaml_errors created_after created_before";

/// Names and values, decoded, in the order of arrival.
#[derive(Debug)]
pub(super) struct Query(pub(super) Vec<(String, String)>);

impl Query {
    pub(super) fn read(request: &Received) -> Self {
        let (_, query) = request.path.split_once('?').unwrap_or_default();
        // In a query a plus sign is a space.
        let text = |part: &str| decode(&part.replace('+', " "));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(
            pairs
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
        )
    }

    /// The last of this name, as Rack has it.
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rfind(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// From 1; GitLab cuts what is more than its most.
    pub(super) fn count(&self, name: &str, default: usize) -> Result<usize, Reply> {
        match self.get(name).map(str::parse::<i64>) {
            None => Ok(default),
            Some(Err(_)) => Err(invalid(name)),
            Some(Ok(0)) if name == "per_page" => {
                Err(says::error(400, "per_page has a value not allowed"))
            }
            Some(Ok(number)) => usize::try_from(number)
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| no_such_value(name)),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Reply> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(invalid(name)),
        }
    }

    fn choice(&self, name: &str, words: &str) -> Result<Option<&str>, Reply> {
        match self.get(name) {
            Some(word) if !words.split(' ').any(|it| it == word) => Err(no_such_value(name)),
            word => Ok(word),
        }
    }

    /// The statuses that are asked for: `scope=` or `scope[]=`, the latter several times.
    pub(super) fn scope(&self) -> Result<Scope, Reply> {
        let pairs = self.0.iter();
        let pairs = pairs.filter(|(name, _)| name == "scope" || name == "scope[]");
        let words: Vec<_> = pairs.map(|(_, word)| word.clone()).collect();
        let known = (words.iter()).all(|word| STATUSES.split(' ').any(|status| status == word));
        known
            .then_some(Scope(words))
            .ok_or_else(|| no_such_value("scope"))
    }

    /// With seconds and an offset. GitLab takes less, and guesses.
    fn time(&self, name: &str) -> Result<Option<SystemTime>, Reply> {
        let read = |text| OffsetDateTime::parse(text, &Rfc3339).map(SystemTime::from);
        self.get(name)
            .map(read)
            .transpose()
            .map_err(|_| invalid(name))
    }
}

fn invalid(name: &str) -> Reply {
    says::error(400, &format!("{name} is invalid"))
}

fn no_such_value(name: &str) -> Reply {
    says::error(400, &format!("{name} does not have a valid value"))
}

/// Statuses; empty for all.
#[derive(Debug)]
pub(super) struct Scope(Vec<String>);

impl Scope {
    pub(super) fn has(&self, job: &Job) -> bool {
        self.0.is_empty() || self.0.contains(&job.status)
    }
}

/// Which pipelines are asked for.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    status: Option<&'a str>,
    git_ref: Option<&'a str>,
    sha: Option<&'a str>,
    source: Option<&'a str>,
    after: Option<SystemTime>,
    before: Option<SystemTime>,
    by_update: bool,
    ascending: bool,
}

impl<'a> Filter<'a> {
    pub(super) fn read(query: &'a Query) -> Result<Self, Reply> {
        if let Some(name) = NOT_HERE.split(' ').find(|name| query.get(name).is_some()) {
            let text = format!("the stand-in does not know how to filter by {name}\n");
            return Err(Reply::text_as("text/plain", 501, text));
        }
        Ok(Self {
            status: query.choice("status", STATUSES)?,
            git_ref: query.get("ref"),
            sha: query.get("sha"),
            source: query.choice("source", SOURCES)?,
            after: query.time("updated_after")?,
            before: query.time("updated_before")?,
            // GitLab also has status, ref and user_id.
            by_update: query.choice("order_by", "id updated_at")? == Some("updated_at"),
            ascending: query.choice("sort", "asc desc")? == Some("asc"),
        })
    }

    /// Children are in the list only when they are asked for.
    pub(super) fn apply(&self, pipelines: &mut Vec<&Pipeline>) {
        let children = self.source == Some("parent_pipeline");
        pipelines.retain(|it| {
            (children || it.source != "parent_pipeline")
                && self.source.is_none_or(|source| source == it.source)
                && self.status.is_none_or(|status| status == it.status)
                && self.git_ref.is_none_or(|git_ref| git_ref == it.git_ref)
                && self.sha.is_none_or(|sha| sha == it.sha)
                && self.after.is_none_or(|after| it.updated_at > after)
                && self.before.is_none_or(|before| it.updated_at < before)
        });
        let time = |it: &Pipeline| self.by_update.then_some(it.updated_at);
        pipelines.sort_by_key(|it| Reverse((time(it), it.id)));
        if self.ascending {
            pipelines.reverse();
        }
    }
}
