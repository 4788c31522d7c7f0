//! The proxy for a server.

use percent_encoding::percent_decode_str;
use ureq::http::Uri;
use ureq::{Proxy, ProxyProtocol};

use crate::env::Env;
use crate::error::Error;
use crate::status::url;

const SHAPE: &str = "write it as http://host:port or http://user:password@host:port, with special characters \
                     percent-encoded: # is %23, / is %2F, @ is %40, % is %25, \\ is %5C";

/// The proxy that the environment names for `url`, if any, with the variable that names it.
///
/// The variable is `HTTPS_PROXY` for https and `HTTP_PROXY` for http, else `ALL_PROXY`, in upper or
/// lower case. `NO_PROXY` lists hosts to call directly: `*`, or a name (which covers its subdomains),
/// `.suffix` or address, each with or without a port. ureq does not support networks (`10.0.0.0/8`).
pub fn for_url(url: &str, env: &Env) -> Result<Option<(&'static str, Proxy)>, Error> {
    let proxy = named_for(url, env)?;
    // Unencrypted is allowed to this machine only, and a proxy leads elsewhere.
    let must_stay_here = url.starts_with("http:") && url::is_loopback(&url::host(url));
    Ok(proxy.filter(|_| !must_stay_here))
}

fn named_for(url: &str, env: &Env) -> Result<Option<(&'static str, Proxy)>, Error> {
    let own = if url.starts_with("https:") {
        ["HTTPS_PROXY", "https_proxy"]
    } else {
        // Upper case last: in a CGI script, `HTTP_PROXY` is a header of the request.
        ["http_proxy", "HTTP_PROXY"]
    };
    let mut names = own.into_iter().chain(["ALL_PROXY", "all_proxy"]);
    let Some((name, value)) = names.find_map(|name| Some((name, env.get(name)?))) else {
        return Ok(None);
    };
    let refused = |problem: &str, hint: &str| Error::setting(name, problem, hint);
    let invalid = || refused("it is not the URL of a proxy", SHAPE);
    // An unencoded `#` or `/` in a password ends the authority early.
    let value = value.trim();
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    if rest.trim_end_matches('/').contains(['/', '#', '?']) {
        return Err(refused(
            "it has more than host and port after the user name and password",
            SHAPE,
        ));
    }
    let proxy = Proxy::new(value).map_err(|_| invalid())?;
    let is_socks = value.to_ascii_lowercase().starts_with("socks");
    // ureq panics on SOCKS without the feature for it.
    let protocol = Some(proxy.protocol()).filter(|_| !is_socks);
    let mut builder = Proxy::builder(protocol.unwrap_or(ProxyProtocol::Http))
        .host(proxy.host())
        .port(proxy.port());
    if let Some(username) = proxy.username() {
        builder = builder.username(username);
    }
    if let Some(password) = proxy.password() {
        builder = builder.password(password);
    }
    let uri: Uri = url.parse().unwrap_or_default();
    let default_port = if url.starts_with("https:") { 443 } else { 80 };
    let port = uri.port_u16().unwrap_or(default_port);
    let no_proxy = env.get("NO_PROXY").or_else(|| env.get("no_proxy"));
    let hosts = no_proxy.unwrap_or_default().split([',', ' ']);
    for host in hosts.filter_map(|host| for_port(host.trim(), port)) {
        builder = builder.no_proxy(host);
        // As curl does: a name covers its subdomains, a leading dot covers the name.
        match host.strip_prefix('.') {
            Some(name) => builder = builder.no_proxy(name),
            None if !host.starts_with('*') => builder = builder.no_proxy(&format!(".{host}")),
            None => {}
        }
    }
    let proxy = builder.build().map_err(|_| invalid())?;
    match (is_socks, proxy.is_no_proxy(&uri)) {
        (false, _) => Ok(Some((name, proxy))),
        (true, true) => Ok(None),
        (true, false) => Err(refused(
            "it is a SOCKS proxy, which is not supported",
            "set HTTPS_PROXY to an http proxy, or add the host to NO_PROXY",
        )),
    }
}

/// An entry of `NO_PROXY` without its port, if that is `port`.
fn for_port(entry: &str, port: u16) -> Option<&str> {
    let entry = match entry.rsplit_once(':') {
        // `[::1]:7990`, but not `::1`
        Some((host, number)) if !host.contains(':') || host.ends_with(']') => {
            (number.parse() == Ok(port)).then_some(host)?
        }
        _ => entry,
    };
    (!entry.is_empty()).then_some(entry)
}

/// The passwords in the proxy variables, encoded and decoded, which must not be printed.
pub fn passwords(env: &Env) -> Vec<String> {
    let names = [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ];
    let mut passwords = Vec::new();
    for url in names.iter().filter_map(|name| env.get(name)) {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let user_info = rest.rsplit_once('@').map_or("", |(user_info, _)| user_info);
        let Some((username, password)) = user_info.split_once(':') else {
            continue;
        };
        let meant = percent_decode_str(password).decode_utf8_lossy();
        passwords.push(format!("{username}:{meant}"));
        passwords.push(password.to_owned());
        passwords.push(meant.into_owned());
    }
    passwords
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: &str = "https://api.bitbucket.org/2.0";

    fn proxy(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let (_, proxy) = for_url(url, &variables.iter().copied().collect()).unwrap()?;
        let direct = proxy.is_no_proxy(&url.parse().unwrap());
        (!direct).then(|| format!("{}:{}", proxy.host(), proxy.port()))
    }

    #[test]
    fn the_variable_of_the_scheme_beats_the_one_for_all() {
        let all = ("ALL_PROXY", "http://all:1");
        let https = ("HTTPS_PROXY", "http://me:pw@https:2");
        let http = ("http_proxy", "plain:3");
        for (url, variables, expected) in [
            (HTTPS, vec![], None),
            (HTTPS, vec![all, https, http], Some("https:2")),
            ("http://x.example/", vec![all, https, http], Some("plain:3")),
            (HTTPS, vec![all, http], Some("all:1")),
            (HTTPS, vec![http], None),
        ] {
            assert_eq!(proxy(url, &variables).as_deref(), expected, "{variables:?}");
        }
    }

    #[test]
    fn no_proxy_takes_names_suffixes_addresses_and_stars() {
        for (no_proxy, url, direct) in [
            ("bitbucket.org", HTTPS, true),
            ("localhost, .bitbucket.org", HTTPS, true),
            ("*", HTTPS, true),
            ("*.bitbucket.org", HTTPS, true),
            ("ucket.org", HTTPS, false),
            (".example.com", "https://example.com/", true),
            ("127.0.0.1", "https://127.0.0.1:7990/", true),
            ("127.0.0.1:7990", "https://127.0.0.1:7990/", true),
            ("127.0.0.1:7991", "https://127.0.0.1:7990/", false),
            ("[::1]:7990", "https://[::1]:7990/", true),
            ("bitbucket.org:443", HTTPS, true),
            ("bitbucket.org:80", HTTPS, false),
            (":443, ,", HTTPS, false),
            ("example.com", HTTPS, false),
        ] {
            let variables = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", no_proxy)];
            assert_eq!(proxy(url, &variables).is_none(), direct, "{no_proxy} {url}");
        }
    }

    #[test]
    fn socks_is_refused_unless_the_host_is_called_directly() {
        let socks = ("ALL_PROXY", "socks5h://127.0.0.1:1080");
        let refused = for_url(HTTPS, &Env::from_iter([socks])).unwrap_err();
        assert!(refused.to_string().contains("SOCKS"), "{refused}");
        let direct = Env::from_iter([socks, ("NO_PROXY", "bitbucket.org")]);
        assert!(for_url(HTTPS, &direct).unwrap().is_none());
        let http = Env::from_iter([socks, ("HTTPS_PROXY", "http://p:1")]);
        assert!(for_url(HTTPS, &http).unwrap().is_some());
    }

    #[test]
    fn a_password_that_is_not_encoded_is_no_host() {
        let env = Env::from_iter([("HTTPS_PROXY", "http://me:ba#d@127.0.0.1:1")]);
        let error = for_url(HTTPS, &env).unwrap_err();
        assert!(error.hint().unwrap().contains("%23"));
    }

    #[test]
    fn a_proxy_that_is_no_url_is_an_error_that_hides_its_password() {
        let env = Env::from_iter([("HTTPS_PROXY", "http://me:s3cr3t@:x:")]);
        let error = for_url(HTTPS, &env).unwrap_err();
        assert!(error.to_string().starts_with("HTTPS_PROXY: "));
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }
}
