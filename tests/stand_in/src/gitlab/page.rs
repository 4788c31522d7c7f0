//! Lists, page by page.

use serde_json::Value;

use super::State;
use super::query::Query;
use super::route::{Of, Route};
use crate::percent::encode;
use crate::reply::Reply;

/// Above so many rows GitLab does not count them.
const COUNTED: usize = 10_000;

/// Which page is asked for, and what its links repeat.
#[derive(Debug)]
pub(super) struct Paging {
    page: usize,
    per_page: usize,
    /// Where the list is: the configured address and the path of the request.
    address: String,
    parameters: Vec<(String, String)>,
}

impl Paging {
    /// GitLab's links name all parameters: those of the path, of the query, and defaults.
    pub(super) fn read(state: &State, route: &Route, query: &Query) -> Result<Self, Reply> {
        let mut parameters = query.0.clone();
        let defaults: &[_] = match route.of {
            Of::Jobs(_) => &[("include_retried", "false")],
            Of::Pipelines => &[("order_by", "id"), ("sort", "desc")],
            _ => &[],
        };
        for (name, value) in defaults.iter().chain(&[("per_page", "20")]) {
            if !parameters.iter().any(|(key, _)| key == name) {
                parameters.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        parameters.retain(|(name, _)| name != "page");
        parameters.push(("id".to_owned(), route.id.clone()));
        if let Of::Jobs(id) | Of::Bridges(id) = route.of {
            parameters.push(("pipeline_id".to_owned(), id.to_string()));
        }
        Ok(Self {
            page: query.count("page", 1)?,
            per_page: query.count("per_page", 20)?.min(100),
            address: format!("{}{}", state.external_url, route.path),
            parameters,
        })
    }

    pub(super) fn of<T>(&self, items: &[T], show: impl FnMut(&T) -> Value) -> Reply {
        let Self { page, per_page, .. } = *self;
        let start = (page - 1).saturating_mul(per_page);
        let rows = items.iter().skip(start).take(per_page).map(show);
        let reply = Reply::json(200, &rows.collect::<Vec<_>>());

        let counted = items.len() <= COUNTED;
        let pages = items.len().div_ceil(per_page).max(1);
        let next = (page < pages).then(|| page + 1);
        let before = Some(page - 1).filter(|page| *page > 0);
        let links = [
            ("prev", before),
            ("next", next),
            ("first", Some(1)),
            ("last", counted.then_some(pages)),
        ];
        let links = links
            .iter()
            .filter_map(|(rel, page)| Some(self.link(rel, (*page)?)));
        let number = |page: Option<usize>| page.map_or(String::new(), |page| page.to_string());
        let reply = reply
            .with_header("link", links.collect::<Vec<_>>().join(", "))
            .with_header("x-next-page", number(next))
            .with_header("x-page", page.to_string())
            .with_header("x-per-page", per_page.to_string())
            .with_header("x-prev-page", number(before));
        if !counted {
            return reply;
        }
        reply
            .with_header("x-total", items.len().to_string())
            .with_header("x-total-pages", pages.to_string())
    }

    fn link(&self, rel: &str, page: usize) -> String {
        let mut parameters = self.parameters.clone();
        parameters.push(("page".to_owned(), page.to_string()));
        parameters.sort();
        let text = |part: &str| encode(part).replace('/', "%2F");
        let pairs = parameters.iter();
        let pairs = pairs.map(|(name, value)| format!("{}={}", text(name), text(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        format!("<{}?{query}>; rel=\"{rel}\"", self.address)
    }
}
