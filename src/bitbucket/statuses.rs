//! Lists the build statuses of a commit.

use serde::{Deserialize, Serialize};

use crate::bitbucket::data_center::DataCenter;
use crate::bitbucket::delivery::Delivery;
use crate::bitbucket::destination::Destination;
use crate::bitbucket::verdict;
use crate::error::Error;
use crate::http::request::Request;
use crate::output;

/// A status, with the state in the words of its product.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    pub(crate) state: String,
    pub(crate) key: String,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) refname: Option<String>,
    /// When it was last written, as RFC 3339.
    pub(crate) updated: Option<String>,
}

/// All statuses of `commit`, from all pages.
pub(crate) fn all(delivery: &mut Delivery<'_, '_>, commit: &str) -> Result<Vec<Status>, Error> {
    delivery.authorize()?;
    match delivery.destination() {
        Destination::Cloud(cloud) => {
            let first = format!("{}/statuses?pagelen=25", cloud.commit_url(commit));
            all_of_cloud(delivery, first, &cloud.api_root)
        }
        Destination::DataCenter(server) => all_of_data_center(delivery, server, commit),
    }
}

/// 25 statuses fit into the part of a body that is read.
fn all_of_cloud(
    delivery: &mut Delivery<'_, '_>,
    first: String,
    api_root: &str,
) -> Result<Vec<Status>, Error> {
    let mut all = Vec::new();
    let mut next = Some(first);
    while let Some(url) = next {
        let (statuses, further) = page(delivery, url, of_cloud)?;
        all.extend(statuses);
        // Never send the credentials elsewhere, whatever the answer says.
        next = further.filter(|url| url.starts_with(&format!("{api_root}/")));
    }
    Ok(all)
}

/// Data Center lists statuses by commit only, for all repositories, and at most 100. The list of the
/// old endpoint includes statuses of the new one.
fn all_of_data_center(
    delivery: &mut Delivery<'_, '_>,
    server: &DataCenter,
    commit: &str,
) -> Result<Vec<Status>, Error> {
    // The list is empty for an unknown repository or commit, so ask for the commit first.
    delivery.send(&Request::get(server.commit_url(commit)))?;
    let root = &server.server;
    let mut all = Vec::new();
    let mut next = Some(0);
    while let Some(start) = next {
        let url =
            format!("{root}/rest/build-status/latest/commits/{commit}?limit=40&start={start}");
        let (statuses, further) = page(delivery, url, of_data_center)?;
        all.extend(statuses);
        next = further.filter(|next| *next > start);
    }
    Ok(all)
}

fn page<T>(
    delivery: &mut Delivery<'_, '_>,
    url: String,
    read: fn(&[u8]) -> Option<T>,
) -> Result<T, Error> {
    let response = delivery.send(&Request::get(url))?;
    read(&response.body).ok_or_else(|| verdict::not_bitbucket(&response))
}

/// Reads a page of Cloud's list: its statuses, and the URL of the next page.
/// <https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination>
pub fn of_cloud(body: &[u8]) -> Option<(Vec<Status>, Option<String>)> {
    #[derive(Deserialize)]
    struct Page {
        values: Vec<Value>,
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
    let page: Page = serde_json::from_slice(body).ok()?;
    let shown = page.values.into_iter().map(|value| Status {
        state: value.state,
        key: value.key,
        name: value.name.filter(|name| !name.is_empty()),
        description: value.description,
        url: value.url,
        refname: value.refname,
        updated: value.updated_on,
    });
    Some((shown.collect(), page.next))
}

/// Reads a page of Data Center's list: its statuses, and the start of the next page.
pub fn of_data_center(body: &[u8]) -> Option<(Vec<Status>, Option<u64>)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        values: Vec<Value>,
        #[serde(default)]
        is_last_page: bool,
        next_page_start: Option<u64>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Value {
        state: String,
        key: String,
        name: Option<String>,
        description: Option<String>,
        url: Option<String>,
        #[serde(rename = "ref")]
        refname: Option<String>,
        updated_date: Option<u64>,
        created_date: Option<u64>,
        /// Before 7.4.
        date_added: Option<u64>,
    }
    let page: Page = serde_json::from_slice(body).ok()?;
    let shown = page.values.into_iter().map(|value| Status {
        state: value.state,
        key: value.key,
        name: value.name,
        description: value.description,
        url: value.url,
        refname: value.refname,
        updated: (value.updated_date.or(value.created_date))
            .or(value.date_added)
            .map(output::rfc3339),
    });
    let next = page.next_page_start.filter(|_| !page.is_last_page);
    Some((shown.collect(), next))
}
