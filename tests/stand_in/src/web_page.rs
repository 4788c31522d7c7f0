//! The page for people: what is stored now, as one file of plain HTML.

use std::fmt::Write as _;

use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;
use crate::status::Status;

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width">
<title>Stand-in Bitbucket</title>
<style>
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
h2 { font-size: 1rem; margin: 2rem 0 .5rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #8884; padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top }
td { overflow-wrap: anywhere }
code { font-size: .9em }
.state { font-weight: 600; white-space: nowrap }
.SUCCESSFUL { color: #1a7f37 } .FAILED { color: #d1242f } .INPROGRESS { color: #0969da }
</style>
</head>
<body>
<h1>Stand-in Bitbucket</h1>
"#;

const TAIL: &str = "</body>\n</html>\n";

/// Whether the request is for the page. Bitbucket's API has nothing there.
pub(crate) fn is_meant(request: &Received) -> bool {
    request.method == "GET" && request.path == "/"
}

/// The page, the commit of the newest status first.
pub(crate) fn page(state: &State) -> Reply {
    let mut commits: Vec<Vec<&Status>> = Vec::new();
    for status in state.all() {
        let of_this = |group: &&mut Vec<&Status>| place(group[0]) == place(status);
        match commits.iter_mut().find(of_this) {
            Some(group) => group.push(status),
            None => commits.push(vec![status]),
        }
    }
    let newest = |group: &Vec<&Status>| group.iter().map(|it| it.updated_on.clone()).max();
    commits.sort_by_key(newest);
    let mut html = HEAD.to_owned();
    if commits.is_empty() {
        html += "<p>No status yet.</p>\n";
    }
    for group in commits.iter().rev() {
        table(&mut html, group);
    }
    Reply::text_as("text/html; charset=utf-8", 200, html + TAIL)
        // Nothing that a status says is run or loaded.
        .with_header(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        )
        .with_header("cache-control", "no-store")
}

fn place(status: &Status) -> (&str, &str, &str, bool) {
    let on_data_center = status.data_center.is_some();
    (
        &status.workspace,
        &status.repository,
        &status.commit,
        on_data_center,
    )
}

fn table(html: &mut String, statuses: &[&Status]) {
    let (workspace, repository, commit, on_data_center) = place(statuses[0]);
    let product = if on_data_center {
        "Data Center"
    } else {
        "Cloud"
    };
    let names = match workspace {
        "" => "any repository".to_owned(), // Data Center's old endpoint
        _ => escape(&format!("{workspace}/{repository}")),
    };
    let commit = escape(commit);
    let _ = write!(
        html,
        "<h2>{names} <code>{commit}</code> on {product}</h2>\n<table>\n<tr><th>State<th>Status<th>Key<th>Ref\n"
    );
    for status in statuses {
        let text = |text: &Option<String>| escape(text.as_deref().unwrap_or_default());
        let name = status.name.as_deref().filter(|name| !name.is_empty());
        let _ = writeln!(
            html,
            "<tr><td class=\"state {0}\">{0}<td><a href=\"{1}\" rel=\"noreferrer\">{2}</a><br>{3}<td><code>{4}</code><td>{5}",
            escape(&status.state),
            escape(&status.url),
            escape(name.unwrap_or(&status.key)),
            text(&status.description),
            escape(&status.key),
            text(&status.refname),
        );
    }
    html.push_str("</table>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
