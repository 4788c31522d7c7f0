//! The page for people.

use serde_json::json;
use stand_in::{Answer, DEFAULT_COMMIT, DEFAULT_TOKEN, Setup, StandIn};

use super::{Reply, ask, build_url};

fn put(bitbucket: &StandIn, body: &serde_json::Value) -> u16 {
    let token = format!("Bearer {DEFAULT_TOKEN}");
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
    ];
    ask("POST", &build_url(bitbucket), &headers, &body.to_string()).status
}

fn page(bitbucket: &StandIn) -> Reply {
    ask("GET", &format!("{}/", bitbucket.url()), &[], "")
}

/// The page from its heading to its end.
fn body(page: &Reply) -> &str {
    let (_, body) = page.body.split_once("<body>\n").unwrap();
    body.strip_suffix("</body>\n</html>\n").unwrap()
}

#[test]
fn the_page_shows_what_is_stored_and_escapes_it() {
    let bitbucket = Setup::default().web_page().start();
    let empty = page(&bitbucket);
    assert_eq!(
        body(&empty),
        "<h1>Stand-in Bitbucket</h1>\n<p>No status yet.</p>\n"
    );
    let status = json!({
        "key": "a&b", "state": "FAILED", "url": "https://ci.example.com/?\"><script>1</script>",
        "name": "<b>tests</b> #1", "description": "3 < 4", "refname": "main",
    });
    assert_eq!(put(&bitbucket, &status), 201);
    let page = page(&bitbucket);
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(
        page.header("content-security-policy"),
        Some("default-src 'none'; style-src 'unsafe-inline'")
    );
    let expected = format!(
        "<h1>Stand-in Bitbucket</h1>\n\
         <h2>my-workspace/my-repo <code>{DEFAULT_COMMIT}</code> on Cloud</h2>\n\
         <table>\n\
         <tr><th>State<th>Status<th>Key<th>Ref\n\
         <tr><td class=\"state FAILED\">FAILED\
         <td><a href=\"https://ci.example.com/?&quot;&gt;&lt;script&gt;1&lt;/script&gt;\" rel=\"noreferrer\">\
         &lt;b&gt;tests&lt;/b&gt; #1</a><br>3 &lt; 4\
         <td><code>a&amp;b</code><td>main\n\
         </table>\n"
    );
    assert_eq!(body(&page), expected);
}

#[test]
fn the_page_takes_no_queued_answer_is_not_remembered_and_is_there_when_asked_for_only() {
    let bitbucket = Setup::default().web_page().start();
    bitbucket.will([Answer::status(503)]);
    bitbucket.always(Some(Answer::Reset));
    assert_eq!(page(&bitbucket).status, 200);
    assert_eq!(bitbucket.received(), []);
    let status = json!({"key": "ci", "state": "FAILED", "url": "https://ci.example.com/1"});
    assert_eq!(put(&bitbucket, &status), 503);
    assert_eq!(page(&StandIn::start()).status, 404);
}
