//! URLs: the build's, which Bitbucket shows, and the server's, which we call.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Uri;

/// What is encoded in one segment of a path: everything but RFC 3986's unreserved characters.
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What cannot stand in a URL as it is. CIs put job names into URLs without looking.
///
/// Braces, because Bitbucket Cloud takes `{…}` for a template and evaluates it: "Templates are URLs
/// that contain variable names that Bitbucket will evaluate at runtime"
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

/// The longest URL that Bitbucket takes, in characters. Data Center documents it; on Cloud it is
/// what other clients keep to (jenkinsci/bitbucket-branch-source-plugin#928).
pub const LONGEST: usize = 450;

/// Makes a build's URL fit to be sent, or says what is wrong with it. It is never cut: half a URL
/// leads nowhere.
///
/// A user name and password in it are left out.
pub fn build_url(text: &str) -> Result<String, String> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let known = |scheme: &str| {
        ["http", "https"]
            .iter()
            .any(|it| it.eq_ignore_ascii_case(scheme))
    };
    if !scheme.is_some_and(known) {
        return Err("it is not an absolute http or https URL".into());
    }
    let url = utf8_percent_encode(&without_user(text), FORBIDDEN).to_string();
    let parsed: Uri = url
        .parse()
        .map_err(|error| format!("it is not a URL: {error}"))?;
    // http::Uri calls a port that is none no port.
    if !parsed.authority().is_some_and(|it| has_port(it.as_str())) {
        return Err("what stands behind its host is not a port".into());
    }
    if host(&url).is_empty() {
        return Err("it has no host".into());
    }
    if url.len() > LONGEST {
        return Err(format!(
            "it has {} characters, and Bitbucket takes {LONGEST}",
            url.len()
        ));
    }
    Ok(url)
}

/// `text` without a user name and password in it, for messages.
pub fn without_user(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        // git's `user:password@host/path`
        let behind = text.rsplit_once('@').filter(|(user, _)| user.contains(':'));
        return behind.map_or(text, |(_, rest)| rest).to_owned();
    };
    let (authority, path) = authority_and_path(rest);
    match (authority.rsplit_once('@'), rest.rsplit_once('@')) {
        (Some((_, host)), _) => format!("{scheme}://{host}{path}"),
        // What is no port is the beginning of a password, with a `/`, `?` or `#` that is not encoded.
        (None, Some((_, rest))) if !has_port(authority) => format!("{scheme}://{rest}"),
        (None, _) => text.to_owned(),
    }
}

/// Whether what stands behind the host, if anything does, is a port.
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

/// The host and port of a URL that is known to be good.
pub fn authority(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    let authority = uri.as_ref().and_then(Uri::authority);
    authority.map_or_else(String::new, ToString::to_string)
}

/// Reads the URL of a server, without its trailing slash, or says what is wrong with it.
pub fn server_url(text: &str, allow_http: bool) -> Result<String, String> {
    let uri: Uri = text
        .parse()
        .map_err(|error| format!("it is not a URL: {error}"))?;
    let host = uri.host().unwrap_or_default();
    let is_nothing = host.trim_matches(['[', ']']).is_empty();
    let authority = uri.authority().map_or("", |it| it.as_str());
    // One that is not encoded may end the authority early.
    if text.contains('@') {
        return Err(
            "it holds a user name or password: credentials have variables of their own".into(),
        );
    }
    // http::Uri calls a port that is none no port, and the default would be called.
    let after_host = authority.rsplit_once(host).map_or("", |(_, rest)| rest);
    if !after_host.is_empty() && uri.port_u16().is_none() {
        return Err(format!(
            "`{}` is not a port",
            after_host.trim_start_matches(':')
        ));
    }
    // http::Uri takes what is not ASCII for a letter.
    if is_nothing || text.contains(['?', '#']) || text.contains(char::is_control) {
        return Err("it is not the absolute URL of a server".into());
    }
    let page = ["/projects/", "/users/", "/scm/", "/rest/"];
    if page
        .iter()
        .any(|part| format!("{}/", uri.path()).contains(part))
    {
        return Err("it is the address of a page or a clone, and not of the server itself".into());
    }
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if allow_http || is_loopback(host) => {}
        Some("http") => {
            return Err(
                "it is plain http, which sends the credentials readable for everybody on the way; \
                 use https, or --allow-http where that is no matter"
                    .into(),
            );
        }
        _ => return Err("it is not an http or https URL".into()),
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn is_loopback(host: &str) -> bool {
    let ip: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_urls_are_made_fit_or_refused() {
        for (text, expected) in [
            (
                "https://ci.example.com/a?b=c#d",
                Ok("https://ci.example.com/a?b=c#d"),
            ),
            (
                "http://10.0.0.7:8080/job/1/",
                Ok("http://10.0.0.7:8080/job/1/"),
            ),
            (
                "https://ci.example.com/{x}/ü a",
                Ok("https://ci.example.com/%7Bx%7D/%C3%BC%20a"),
            ),
            (
                "https://ci.example.com/a%252Fb",
                Ok("https://ci.example.com/a%252Fb"),
            ),
            (
                "https://me:pw@ci.example.com/@x",
                Ok("https://ci.example.com/@x"),
            ),
            (
                "https://me:p/w@ci.example.com/x",
                Ok("https://ci.example.com/x"),
            ),
            ("HTTPS://ci.example.com", Ok("HTTPS://ci.example.com")),
            ("/jobs/1", Err("it is not an absolute http or https URL")),
            (
                "ftp://ci.example.com/",
                Err("it is not an absolute http or https URL"),
            ),
            (
                "javascript:alert(1)",
                Err("it is not an absolute http or https URL"),
            ),
            ("http://[::1]:8080/1", Ok("http://[::1]:8080/1")),
            (
                "https://ci.example.com:x/1",
                Err("what stands behind its host is not a port"),
            ),
            ("https://", Err("it is not a URL: empty string")),
            ("https://[]:8080/1", Err("it has no host")),
            ("https://[::1", Err("it is not a URL: invalid authority")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(build_url(text), expected, "{text}");
        }
    }

    #[test]
    fn a_url_may_have_450_characters_and_is_never_cut() {
        let url = |length: usize| format!("https://ci.example.com/{}", "a".repeat(length - 23));
        assert_eq!(build_url(&url(450)), Ok(url(450)));
        assert_eq!(
            build_url(&url(451)),
            Err("it has 451 characters, and Bitbucket takes 450".into())
        );
    }

    #[test]
    fn plain_http_goes_to_loopback_only_unless_allowed() {
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
            (
                "https://bitbucket.example.com/projects/P/repos/r/browse",
                false,
                false,
            ),
            ("https://bitbucket.example.com/rest/api/1.0", false, false),
            ("bitbucket.example.com", false, false),
            ("", false, false),
        ] {
            assert_eq!(server_url(text, false).is_ok(), plain, "{text}");
            assert_eq!(server_url(text, true).is_ok(), allowed, "{text}");
        }
    }
}
