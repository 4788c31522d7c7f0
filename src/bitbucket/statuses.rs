//! Lists the build statuses of a commit.

use std::collections::BTreeSet;

use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::bitbucket::data_center::DataCenter;
use crate::bitbucket::delivery::Delivery;
use crate::bitbucket::destination::Destination;
use crate::bitbucket::verdict;
use crate::error::Error;
use crate::http::request::Request;
use crate::output;
use crate::report::Report;
use crate::status::refname::Refname;
use crate::status::state::State;
use crate::status::url::SEGMENT;

/// A status, with the state in the words of its product.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    pub(crate) state: String,
    pub(crate) key: String,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) refname: Option<String>,
    /// What "Required builds" compares; only Data Center keeps it.
    pub(crate) parent: Option<String>,
    /// When it was last written, as RFC 3339.
    pub(crate) updated: Option<String>,
    /// What only Data Center keeps.
    #[serde(skip)]
    pub(crate) build_number: Option<String>,
}

/// How many statuses of a commit Data Center lists at most: the newest.
const LISTED_BY_DATA_CENTER: usize = 100;

/// Nothing has more pages: a server that says so does not end.
const MOST_PAGES: usize = 1000;

/// All pages together have no more bytes: a thousand statuses have one million.
const LONGEST_LIST: usize = 16 * 1024 * 1024;

/// All statuses of `commit`, from all pages.
pub(crate) fn all(delivery: &mut Delivery<'_, '_>, commit: &str) -> Result<Vec<Status>, Error> {
    if let Destination::DataCenter(server) = delivery.destination() {
        // The list answers for any repository and commit, so that these are asked for first.
        delivery.send(&Request::page(server.commit_url(commit)))?;
    }
    Ok(list(delivery, commit, "")?.statuses)
}

/// A list of statuses.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Listed {
    pub(crate) statuses: Vec<Status>,
    /// Whether there may be more than these.
    pub(crate) is_cut: bool,
}

/// The statuses that a report for `commit` and `refname` may find there: on Cloud, those with other
/// names are other statuses. Data Center lists only the newest.
pub(crate) fn of_refname(
    delivery: &mut Delivery<'_, '_>,
    commit: &str,
    refname: Option<&Refname>,
) -> Result<Listed, Error> {
    let name = refname.map(Refname::name);
    let filter = name.map(|name| format!("&refname={}", utf8_percent_encode(name, SEGMENT)));
    let mut found = list(delivery, commit, &filter.unwrap_or_default())?;
    if let Destination::Cloud(_) = delivery.destination() {
        found
            .statuses
            .retain(|status| status.refname.as_deref() == name);
    }
    Ok(found)
}

/// Those that are INPROGRESS, whatever their refname. A commit that Bitbucket does not have has none.
pub(crate) fn in_progress(
    delivery: &mut Delivery<'_, '_>,
    commit: &str,
) -> Result<Vec<Status>, Error> {
    let mut found = match list(delivery, commit, "") {
        Err(error) if error.http_status() == Some(404) => Vec::new(),
        answer => answer?.statuses,
    };
    found.retain(|status| status.state == State::InProgress.as_str());
    Ok(found)
}

/// The status that `report` would overwrite, if there is one.
pub(crate) fn of_report(
    delivery: &mut Delivery<'_, '_>,
    report: &Report,
) -> Result<Option<Status>, Error> {
    let found = match delivery.destination() {
        // The question for one key does not tell apart what has another refname.
        Destination::Cloud(_) => {
            of_refname(delivery, &report.commit, report.refname.as_ref())?.statuses
        }
        Destination::DataCenter(server) => {
            match delivery.send(&delivery.destination().look_up(report)) {
                Ok(response) => of_data_center_build(&response.body, server)
                    .into_iter()
                    .collect(),
                // There is none, or a server before 7.14 knows no such question.
                Err(error) if matches!(error.http_status(), Some(404 | 405)) => {
                    list(delivery, &report.commit, "")?.statuses
                }
                Err(error) => return Err(error),
            }
        }
    };
    Ok(found.into_iter().find(|status| status.key == report.key))
}

/// The statuses with the key of `report`: on Cloud, one for each refname.
pub(crate) fn of_key(
    delivery: &mut Delivery<'_, '_>,
    report: &Report,
) -> Result<Vec<Status>, Error> {
    let mut found = list(delivery, &report.commit, "")?.statuses;
    found.retain(|status| status.key == report.key);
    Ok(found)
}

fn list(delivery: &mut Delivery<'_, '_>, commit: &str, filter: &str) -> Result<Listed, Error> {
    match delivery.destination() {
        Destination::Cloud(cloud) => {
            let first = format!("{}/statuses?pagelen=100{filter}", cloud.commit_url(commit));
            all_of_cloud(delivery, first, &cloud.api_root)
        }
        Destination::DataCenter(server) => all_of_data_center(delivery, server, commit),
    }
}

fn all_of_cloud(
    delivery: &mut Delivery<'_, '_>,
    first: String,
    api_root: &str,
) -> Result<Listed, Error> {
    let root = format!("{api_root}/");
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    let mut left = LONGEST_LIST;
    let mut next = Some(first);
    while let Some(url) = next {
        if seen.len() >= MOST_PAGES || !seen.insert(url.clone()) {
            return Err(endless());
        }
        let (statuses, further) = page(delivery, url, of_cloud, &mut left)?;
        all.extend(statuses);
        // Never send the credentials elsewhere, whatever the answer says.
        if let Some(url) = further.as_ref().filter(|url| !url.starts_with(&root)) {
            let hint = "check that BITBUCKET_API_ROOT is the address that the API itself gives";
            let message = format!("the next page of the list is elsewhere: {url}");
            return Err(Error::unexpected(message, Some(hint)));
        }
        next = further;
    }
    Ok(Listed {
        statuses: all,
        is_cut: false,
    })
}

fn endless() -> Error {
    let message = "the list of the commit's statuses does not end";
    Error::unexpected(message, Some("check what stands in front of Bitbucket"))
}

/// Data Center lists statuses by commit only, for all repositories, and at most 100. The list of the
/// old endpoint includes statuses of the new one.
fn all_of_data_center(
    delivery: &mut Delivery<'_, '_>,
    server: &DataCenter,
    commit: &str,
) -> Result<Listed, Error> {
    let root = &server.server;
    let (mut all, mut pages, mut builds) = (Vec::new(), 0, 0);
    let mut left = LONGEST_LIST;
    let mut next = Some(0);
    while let Some(start) = next {
        pages += 1;
        if pages > MOST_PAGES {
            return Err(endless());
        }
        let url =
            format!("{root}/rest/build-status/latest/commits/{commit}?limit=100&start={start}");
        let (found, further) = page(delivery, url, builds_of_data_center, &mut left)?;
        builds += found.len();
        let own = found.into_iter().filter(|build| build.may_be_of(server));
        all.extend(own.map(Build::shown));
        next = further.filter(|next| *next > start);
    }
    Ok(Listed {
        statuses: all,
        is_cut: builds >= LISTED_BY_DATA_CENTER,
    })
}

fn page<T>(
    delivery: &mut Delivery<'_, '_>,
    url: String,
    read: fn(&[u8]) -> Option<T>,
    left: &mut usize,
) -> Result<T, Error> {
    let response = delivery.send(&Request::page(url))?;
    *left = left.checked_sub(response.body.len()).ok_or_else(endless)?;
    read(&response.body).ok_or_else(|| verdict::not_bitbucket(&response))
}

/// Reads a page of Cloud's list: its statuses, and the URL of the next page.
/// <https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination>
pub fn of_cloud(body: &[u8]) -> Option<(Vec<Status>, Option<String>)> {
    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        values: Vec<&'a RawValue>,
        next: Option<String>,
    }
    #[derive(Deserialize)]
    struct Value {
        state: String,
        key: String,
        name: Option<String>,
        description: Option<String>,
        url: Option<String>,
        refname: Option<String>,
        updated_on: Option<String>,
    }
    let page: Page<'_> = serde_json::from_slice(body).ok()?;
    let shown = readable(&page.values).map(|value: Value| Status {
        state: value.state,
        key: value.key,
        name: value.name.filter(|name| !name.is_empty()),
        description: value.description,
        url: value.url,
        refname: value.refname,
        parent: None,
        updated: value.updated_on,
        build_number: None,
    });
    Some((shown.collect(), page.next))
}

/// Reads a page of Data Center's list: its statuses, and the start of the next page.
pub fn of_data_center(body: &[u8]) -> Option<(Vec<Status>, Option<u64>)> {
    let (builds, next) = builds_of_data_center(body)?;
    Some((builds.into_iter().map(Build::shown).collect(), next))
}

fn builds_of_data_center(body: &[u8]) -> Option<(Vec<Build>, Option<u64>)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page<'a> {
        #[serde(borrow)]
        values: Vec<&'a RawValue>,
        #[serde(default)]
        is_last_page: bool,
        next_page_start: Option<u64>,
    }
    let page: Page<'_> = serde_json::from_slice(body).ok()?;
    let next = page.next_page_start.filter(|_| !page.is_last_page);
    Some((readable(&page.values).collect(), next))
}

/// One entry that nobody can read hides no other.
fn readable<'a, T: Deserialize<'a>>(values: &[&'a RawValue]) -> impl Iterator<Item = T> {
    let values = values.iter();
    values.filter_map(|value| serde_json::from_str(value.get()).ok())
}

/// Reads the one that Data Center says of a key.
fn of_data_center_build(body: &[u8], server: &DataCenter) -> Option<Status> {
    let build: Option<Build> = serde_json::from_slice(body).ok();
    let own = build.filter(|build| build.may_be_of(server));
    own.map(Build::shown)
}

/// One of Data Center's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    state: String,
    key: String,
    name: Option<String>,
    description: Option<String>,
    url: Option<String>,
    #[serde(rename = "ref")]
    refname: Option<String>,
    parent: Option<String>,
    build_number: Option<String>,
    updated_date: Option<u64>,
    created_date: Option<u64>,
    /// Before 7.4.
    date_added: Option<u64>,
    /// Unknown of a status that the endpoint of the commit has stored.
    project_key: Option<String>,
    repository_slug: Option<String>,
}

impl Build {
    /// Whether it is not of another repository that has the commit, such as a fork.
    fn may_be_of(&self, server: &DataCenter) -> bool {
        let is = |shown: &Option<String>, own: &str| {
            let shown = shown.as_deref().filter(|shown| !shown.is_empty());
            shown.is_none_or(|shown| shown.to_lowercase() == own.to_lowercase())
        };
        is(&self.project_key, &server.project) && is(&self.repository_slug, &server.repository)
    }

    fn shown(self) -> Status {
        Status {
            state: self.state,
            key: self.key,
            name: self.name,
            description: self.description,
            url: self.url,
            refname: self.refname,
            parent: self.parent,
            updated: (self.updated_date.or(self.created_date))
                .or(self.date_added)
                .map(output::rfc3339),
            build_number: self.build_number,
        }
    }
}
