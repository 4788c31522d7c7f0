//! URLs: that of the build's page, which Bitbucket links to, and that of the server to call.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Uri;

/// The characters to encode in a segment of a path: all but RFC 3986's unreserved characters.
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// `text`, encoded for a segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// The characters to encode in a whole URL. CIs put job names into URLs without encoding them.
///
/// Braces are among them because Bitbucket Cloud evaluates `{…}`: "Templates are URLs that contain
/// variable names that Bitbucket will evaluate at runtime"
/// (<https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/>).
const FORBIDDEN: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The longest URL that Bitbucket accepts, in characters. Data Center documents it; for Cloud it is
/// the limit that other clients use (jenkinsci/bitbucket-branch-source-plugin#928).
pub const LONGEST: usize = 450;

/// Encodes the URL of a build's page and removes user name and password, or says what is wrong with
/// it. The URL is never cut: half a URL leads nowhere.
pub fn build_url(text: &str) -> Result<String, String> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let is = |known: &&str| scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(known));
    if !["http", "https"].iter().any(is) {
        return Err("it is not an absolute http or https URL".into());
    }
    let url = utf8_percent_encode(&without_user(text), FORBIDDEN).to_string();
    let parsed = parse(&url)?;
    // http::Uri takes a port that is not a number for a missing one.
    if !parsed.authority().is_some_and(|it| has_port(it.as_str())) {
        return Err("its port is not a number".into());
    }
    if host(&url).is_empty() {
        return Err("it has no host".into());
    }
    if url.len() > LONGEST {
        let length = url.len();
        return Err(format!(
            "it has {length} characters, but Bitbucket allows {LONGEST}"
        ));
    }
    Ok(url)
}

fn parse(url: &str) -> Result<Uri, String> {
    url.parse()
        .map_err(|error| format!("it is not a URL: {error}"))
}

const ATTEMPT: &str = "#attempt=";

/// The page of a run that is tried again: a fragment tells the attempts apart, from the second on.
pub(crate) fn of_attempt(url: String, attempt: u64) -> String {
    match attempt {
        0 | 1 => url,
        _ => format!("{url}{ATTEMPT}{attempt}"),
    }
}

/// The page of a run, and which attempt it is.
pub(crate) fn attempt(url: &str) -> (&str, u64) {
    let found = url.split_once(ATTEMPT);
    let found = found.and_then(|(url, number)| Some((url, number.parse().ok()?)));
    found.unwrap_or((url, 1))
}

/// `text` without user name and password, for messages.
pub fn without_user(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        // git's `user:password@host/path`
        let behind = text.rsplit_once('@').filter(|(user, _)| user.contains(':'));
        return behind.map_or(text, |(_, rest)| rest).to_owned();
    };
    let (authority, path) = authority_and_path(rest);
    match (authority.rsplit_once('@'), rest.rsplit_once('@')) {
        (Some((_, host)), _) => format!("{scheme}://{host}{path}"),
        // A port that is not a number is the start of a password with an unencoded `/`, `?` or `#`.
        (None, Some((_, rest))) if !has_port(authority) => format!("{scheme}://{rest}"),
        (None, _) => text.to_owned(),
    }
}

/// Whether the part after the host is empty or a port.
fn has_port(authority: &str) -> bool {
    let port = match authority.rsplit_once(']') {
        Some((_, port)) => port.strip_prefix(':').unwrap_or(port),
        None => authority.split_once(':').map_or("", |(_, port)| port),
    };
    port.bytes().all(|byte| byte.is_ascii_digit())
}

fn authority_and_path(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
}

/// The host of a URL that [`build_url`] has passed, without brackets and port.
pub fn host(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    host.trim_matches(['[', ']']).to_owned()
}

/// The host and port of a valid URL.
pub fn authority(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    let authority = uri.as_ref().and_then(Uri::authority);
    authority.map_or_else(String::new, ToString::to_string)
}

/// The base URL of a server without trailing slash, or what is wrong with it.
pub fn server_url(text: &str, allow_http: bool) -> Result<String, String> {
    let uri = parse(text)?;
    let host = uri.host().unwrap_or_default();
    let is_nothing = host.trim_matches(['[', ']']).is_empty();
    let authority = uri.authority().map_or("", |it| it.as_str());
    // Anywhere: in an unencoded password, a `/` ends the authority early.
    if text.contains('@') {
        return Err(
            "it contains a user name or password; set BITBUCKET_USERNAME and \
             BITBUCKET_ACCESS_TOKEN instead"
                .into(),
        );
    }
    // http::Uri takes a port that is not a number for a missing one: the default would be called.
    let after_host = authority.rsplit_once(host).map_or("", |(_, rest)| rest);
    if !after_host.is_empty() && uri.port_u16().is_none() {
        let port = after_host.trim_start_matches(':');
        return Err(format!("`{port}` is not a port"));
    }
    // http::Uri accepts any non-ASCII character.
    if is_nothing || text.contains(['?', '#']) || text.contains(char::is_control) {
        return Err("it is not the absolute URL of a server".into());
    }
    let path = format!("{}/", uri.path());
    let mut pages = ["/projects/", "/users/", "/scm/", "/rest/"].iter();
    if pages.any(|part| path.contains(part)) {
        return Err("it is the URL of a page or a clone, not the base URL of the server".into());
    }
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if allow_http || is_loopback(host) => {}
        Some("http") => {
            return Err(
                "it is plain http, which sends the credentials unencrypted; use https, or allow http \
                 with --allow-http"
                    .into(),
            );
        }
        _ => return Err("it is not an http or https URL".into()),
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Whether `host` is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let ip: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_urls_are_made_fit_or_refused() {
        for case in [
            "https://ci.example.com/a?b=c#d -> https://ci.example.com/a?b=c#d",
            "http://10.0.0.7:8080/job/1/ -> http://10.0.0.7:8080/job/1/",
            "https://ci.example.com/{x}/ü a -> https://ci.example.com/%7Bx%7D/%C3%BC%20a",
            "https://ci.example.com/a%252Fb -> https://ci.example.com/a%252Fb",
            "https://me:pw@ci.example.com/@x -> https://ci.example.com/@x",
            "https://me:p/w@ci.example.com/x -> https://ci.example.com/x",
            "HTTPS://ci.example.com -> HTTPS://ci.example.com",
            "/jobs/1 -> error: it is not an absolute http or https URL",
            "ftp://ci.example.com/ -> error: it is not an absolute http or https URL",
            "javascript:alert(1) -> error: it is not an absolute http or https URL",
            "http://[::1]:8080/1 -> http://[::1]:8080/1",
            "https://ci.example.com:x/1 -> error: its port is not a number",
            "https:// -> error: it is not a URL: empty string",
            "https://[]:8080/1 -> error: it has no host",
            "https://[::1 -> error: it is not a URL: invalid authority",
        ] {
            let (text, expected) = case.split_once(" -> ").unwrap();
            let url = build_url(text).unwrap_or_else(|problem| format!("error: {problem}"));
            assert_eq!(url, expected, "{text}");
        }
    }

    #[test]
    fn a_url_may_have_450_characters_and_is_never_cut() {
        let url = |length: usize| format!("https://ci.example.com/{}", "a".repeat(length - 23));
        assert_eq!(build_url(&url(450)), Ok(url(450)));
        let error = "it has 451 characters, but Bitbucket allows 450";
        assert_eq!(build_url(&url(451)), Err(error.into()));
    }

    #[test]
    fn plain_http_goes_to_loopback_only_unless_allowed() {
        let page = "https://bitbucket.example.com/projects/P/repos/r/browse";
        for (text, plain, allowed) in [
            ("https://api.bitbucket.org/2.0/", true, true),
            ("http://127.0.0.1:7990", true, true),
            ("http://127.0.0.1:99999", false, false),
            ("http://127.0.0.1:", false, false),
            ("https://bitbucket.example.com:abc", false, false),
            ("https://bitbucket.example.com:8443/ctx", true, true),
            ("http://127.1.2.3", true, true),
            ("http://[::1]:7990/ctx", true, true),
            ("http://localhost:7990", true, true),
            ("http://localhost.example.com", false, true),
            ("http://bitbucket.example.com", false, true),
            ("https://[]/ctx", false, false),
            ("https://bitbucket.example.com/\u{96}", false, false),
            ("ftp://127.0.0.1", false, false),
            ("https://me:pw@bitbucket.example.com", false, false),
            ("https://bitbucket.example.com/?a=b", false, false),
            (page, false, false),
            ("https://bitbucket.example.com/rest/api/1.0", false, false),
            ("bitbucket.example.com", false, false),
            ("", false, false),
        ] {
            assert_eq!(server_url(text, false).is_ok(), plain, "{text}");
            assert_eq!(server_url(text, true).is_ok(), allowed, "{text}");
        }
    }
}
