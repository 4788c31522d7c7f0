//! A page of statuses, as each product writes it.

use serde::Deserialize;

use super::Shown;
use crate::output;

/// Reads a page of Cloud's: the statuses on it, and the URL of the next.
/// <https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination>
pub fn of_cloud(body: &[u8]) -> Option<(Vec<Shown>, Option<String>)> {
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
    let shown = page.values.into_iter().map(|value| Shown {
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

/// Reads a page of Data Center's: the statuses on it, and where the next begins.
pub fn of_data_center(body: &[u8]) -> Option<(Vec<Shown>, Option<u64>)> {
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
    let shown = page.values.into_iter().map(|value| Shown {
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
