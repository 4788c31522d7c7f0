//! Which proxy leads to a server.

use percent_encoding::percent_decode_str;
use ureq::Proxy;
use ureq::http::Uri;

use crate::env::Env;
use crate::error::Error;

/// The proxy that the environment names for `url`, if any.
///
/// `HTTPS_PROXY` for https and `HTTP_PROXY` for http, else `ALL_PROXY`; lower case counts as well.
/// `NO_PROXY` lists hosts that are called directly: a name, which covers its subdomains, `.suffix`,
/// an address, each with or without a port, or `*`. ureq knows no networks (`10.0.0.0/8`).
pub fn for_url(url: &str, env: &Env) -> Result<Option<Proxy>, Error> {
    let own = if url.starts_with("https:") {
        ["HTTPS_PROXY", "https_proxy"]
    } else {
        // `HTTP_PROXY` may be a request's header in a CGI script, which we are not.
        ["http_proxy", "HTTP_PROXY"]
    };
    let names = own.into_iter().chain(["ALL_PROXY", "all_proxy"]);
    let Some((name, value)) = names
        .into_iter()
        .find_map(|name| Some((name, env.get(name)?)))
    else {
        return Ok(None);
    };
    let invalid = || Error::Setting {
        origin: name.to_owned(),
        problem: "it is not the URL of a proxy".into(),
        hint: Some("write it as http://host:port".into()),
    };
    let proxy = Proxy::new(value.trim()).map_err(|_| invalid())?;
    let mut builder = Proxy::builder(proxy.protocol())
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
    for host in no_proxy
        .unwrap_or_default()
        .split([',', ' '])
        .map(str::trim)
    {
        let Some(host) = for_port(host, port) else {
            continue;
        };
        builder = builder.no_proxy(host);
        // As curl does: a name covers its subdomains, a leading dot covers the name.
        match host.strip_prefix('.') {
            Some(name) => builder = builder.no_proxy(name),
            None if !host.starts_with('*') => builder = builder.no_proxy(&format!(".{host}")),
            None => {}
        }
    }
    builder.build().map(Some).map_err(|_| invalid())
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

/// The passwords of proxies in the environment, as they stand there and as they are meant, to be
/// kept out of what is printed.
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
        let Some((user_info, _)) = rest.rsplit_once('@') else {
            continue;
        };
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
        let proxy = for_url(url, &variables.iter().copied().collect()).unwrap()?;
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
    fn a_proxy_that_is_no_url_is_an_error_that_hides_its_password() {
        let env = Env::from_iter([("HTTPS_PROXY", "http://me:s3cr3t@:x:")]);
        let error = for_url(HTTPS, &env).unwrap_err();
        assert!(
            error.to_string().starts_with("HTTPS_PROXY: ")
                && !format!("{error:?}").contains("s3cr3t")
        );
    }
}
