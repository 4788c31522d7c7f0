//! The body of a POST, and what may be in it.

use serde_json::{Map, Value};

use super::refusal;
use crate::build_url;
use crate::received::Received;
use crate::reply::Reply;
use crate::status::Status;

const STATES: [&str; 4] = ["SUCCESSFUL", "FAILED", "INPROGRESS", "STOPPED"];
const REQUIRED: &str = "This field is required.";
const NOT_A_STRING: &str = "Not a valid string.";
const BAD_URL: &str = "Enter a valid URL.";

/// A build status as posted, found good.
#[derive(Debug, PartialEq)]
pub(super) struct Build {
    key: String,
    state: String,
    url: String,
    name: Option<String>,
    description: Option<String>,
    refname: Option<String>,
}

impl Build {
    /// Reads the body of a request, or says what is wrong with it.
    pub(super) fn read(request: &Received) -> Result<Self, Reply> {
        if !request.is_of("application/json") {
            let text = "Unsupported content type, expected application/json";
            return Err(refusal::bad_request(text));
        }
        let Ok(Value::Object(body)) = serde_json::from_str(&request.body) else {
            return Err(refusal::bad_request("The body is not a JSON object"));
        };
        let mut fields = Fields {
            body,
            problems: Vec::new(),
        };
        let build = Self {
            key: fields.required("key", |key| at_most(40, key)),
            state: fields.required("state", |state| {
                let unknown = !STATES.contains(&state);
                unknown.then(|| format!("\"{state}\" is not a valid choice."))
            }),
            url: fields.required("url", |url| (!is_valid_url(url)).then(|| BAD_URL.into())),
            // No report quotes the limits of these three; 255 for the name is Jenkins' (PR #928).
            name: fields.optional("name", |name| at_most(255, name)),
            description: fields.optional("description", |_| None),
            refname: fields.optional("refname", |_| None),
        };
        if fields.problems.is_empty() {
            Ok(build)
        } else {
            Err(refusal::bad_fields(&fields.problems))
        }
    }

    /// The status to store.
    pub(super) fn of(self, workspace: &str, slug: &str, commit: String) -> Status {
        Status {
            workspace: workspace.to_owned(),
            repository: slug.to_owned(),
            commit,
            key: self.key,
            state: self.state,
            name: self.name,
            description: self.description,
            url: self.url,
            refname: self.refname,
            ..Status::default()
        }
    }
}

struct Fields {
    body: Map<String, Value>,
    problems: Vec<(&'static str, String)>,
}

impl Fields {
    fn required(&mut self, name: &'static str, problem: impl Fn(&str) -> Option<String>) -> String {
        let before = self.problems.len();
        let text = self.optional(name, |text| {
            let blank = text.trim().is_empty();
            blank.then(|| REQUIRED.into()).or_else(|| problem(text))
        });
        if text.is_none() && self.problems.len() == before {
            self.problems.push((name, REQUIRED.into()));
        }
        text.unwrap_or_default()
    }

    fn optional(
        &mut self,
        name: &'static str,
        problem: impl Fn(&str) -> Option<String>,
    ) -> Option<String> {
        let found = match self.body.remove(name)? {
            Value::Null => return None,
            Value::String(text) => match problem(&text) {
                None => return Some(text),
                Some(problem) => problem,
            },
            _ => NOT_A_STRING.into(),
        };
        self.problems.push((name, found));
        None
    }
}

fn at_most(limit: usize, text: &str) -> Option<String> {
    let length = text.chars().count();
    (length > limit)
        .then(|| format!("Ensure this value has at most {limit} characters (it has {length})."))
}

/// The part of Django's URL validation that field reports show: http or https, no white space, and
/// a host with a dot (nishio-dens/bitbucket-pullrequest-builder-plugin#174 and many more).
fn is_valid_url(url: &str) -> bool {
    let Some(host) = build_url::host(url) else {
        return false;
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    host.contains('.') && host.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_http_with_a_dot_in_its_host() {
        for good in [
            "https://ci.example.com",
            "http://ci.example.com:8080/job/1?a=b#c",
            "HTTPS://user:pw@ci.example.com./x",
            "http://10.0.0.1/",
            "https://ci.example.com/{repository.full_name}",
        ] {
            assert!(is_valid_url(good), "{good}");
        }
        for bad in [
            "ci.example.com/1",
            "ftp://ci.example.com/",
            "https://",
            "https:///path.html",
            "http://munprdjenkins1:8080/job/1",
            "http://localhost/",
            "http://localhost./",
            "http://me.you@localhost/",
            "https://.com/",
            "https://ci..example.com/",
            "https://ci.example.com/a b",
            "https://ci.example.com/\u{7}",
            " https://ci.example.com/",
        ] {
            assert!(!is_valid_url(bad), "{bad}");
        }
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(at_most(3, "äöü"), None);
        assert!(at_most(3, "abcd").is_some());
    }
}
