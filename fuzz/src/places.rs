use build_status::env::Env;
use build_status::http::proxy;
use build_status::status::refname::Refname;
use build_status::status::repository::{Repository, Site};
use build_status::status::url;

/// Clone URLs, builds' URLs, servers' URLs, refs, proxies and `NO_PROXY`: three lines of text.
pub fn places(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (first, second, third) = (line(), line(), line());
    clone_url(first);
    no_password_is_read(first);
    build_url(first);
    server_url(first);
    if let Some(refname) = Refname::from_full(first) {
        assert_eq!(refname.full(), first);
    }
    proxies(first, second, third);
}

fn clone_url(url: &str) {
    let Some(repository) = Repository::from_url(url) else {
        return;
    };
    assert!(!repository.owner.is_empty() && !repository.name.is_empty());
    let host = repository.host.as_deref().unwrap_or_default();
    assert!(!host.is_empty() && !host.contains(['/', '@']), "{host:?}");
    // What stands before it may be a password that is not encoded.
    assert!(!repository.path().contains('@') || url.contains("%40"));
    if repository.site == Site::Cloud {
        let is_amazons = host.ends_with(".amazonaws.com");
        assert!(host.ends_with("bitbucket.org") || is_amazons, "{host:?}");
    }
    if let Site::DataCenter {
        server: Some(server),
    } = &repository.site
    {
        assert!(server.starts_with("http") && server.contains(host));
    }
}

/// A password is what stands before an `@`, whatever is in it.
fn no_password_is_read(rest: &str) {
    for (password, pieces) in [
        ("hidden", &["hidden"][..]),
        ("hid/den", &["hid", "den"]),
        ("hid?den#hid", &["hid", "den"]),
        ("hid:den", &["hid", "den"]),
        ("hid@den", &["hid", "den"]),
        ("hid%2fden", &["hid", "den"]),
    ] {
        if pieces
            .iter()
            .any(|piece| rest.to_lowercase().contains(piece))
        {
            continue;
        }
        for start in ["https://", "http://", "ssh://", "HTTPS://", ""] {
            let url = format!("{start}me:{password}@{rest}");
            let read = format!("{:?}", Repository::from_url(&url));
            let shown = url::without_user(&url);
            let sent = url::build_url(&url);
            for piece in pieces {
                assert!(!read.contains(piece), "{url:?}: {read}");
                // Without a scheme it is no URL, and `mailto:me@example.com` has no password.
                if !start.is_empty() {
                    assert!(!shown.contains(piece), "{url:?}: {shown:?}");
                    assert!(!format!("{sent:?}").contains(piece), "{url:?}: {sent:?}");
                }
            }
        }
    }
}

fn build_url(text: &str) {
    let Ok(url) = url::build_url(text) else {
        return;
    };
    assert!(url.len() <= url::LONGEST && url.is_ascii(), "{url:?}");
    let forbidden = |c: char| c.is_ascii_control() || " \"<>\\^`{|}".contains(c);
    assert!(!url.contains(forbidden), "{url:?}");
    assert!(!url::host(&url).is_empty(), "{url:?}");
    assert_eq!(url::build_url(&url).as_ref(), Ok(&url));
}

fn server_url(text: &str) {
    let (strict, lax) = (url::server_url(text, false), url::server_url(text, true));
    if let Ok(url) = &strict {
        assert_eq!(lax.as_ref(), Ok(url));
        let loopback = ["localhost", "127.", "[::1]"];
        let is_loopback = |host: String| loopback.iter().any(|it| host.starts_with(it));
        let plain = url
            .get(..5)
            .is_some_and(|it| it.eq_ignore_ascii_case("http:"));
        let host = url::authority(url).to_lowercase();
        assert!(!plain || is_loopback(host), "{url:?}");
    }
    if let Ok(url) = &lax {
        let odd = |c: char| c.is_control() || c == ' ' || "?#".contains(c);
        assert!(!url.contains(odd) && !url.ends_with('/'), "{url:?}");
        assert!(!url::authority(url).contains('@'), "{url:?}");
        assert!(!url::authority(url).is_empty(), "{url:?}");
    }
}

fn proxies(value: &str, no_proxy: &str, host: &str) {
    let url = format!("https://{host}/2.0");
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_host = url::server_url(&url, false).is_ok() && host.chars().all(in_name);
    let env = |value: &str, no_proxy: String| -> Env {
        let pairs = [("HTTPS_PROXY", value.to_owned()), ("NO_PROXY", no_proxy)];
        pairs.into_iter().collect()
    };
    let direct = |env: &Env| match proxy::for_url(&url, env) {
        Ok(found) => {
            Some(found.is_none_or(|(_, it)| it.is_no_proxy(&url.parse().unwrap_or_default())))
        }
        Err(_) => None,
    };
    let through = direct(&env(value, no_proxy.to_owned()));
    if is_host && through.is_some() {
        for more in [host.to_owned(), host.to_uppercase(), "*".to_owned()] {
            let no_proxy = format!("{no_proxy},{more}");
            let found = direct(&env(value, no_proxy));
            assert_eq!(found, Some(true), "{host:?} in NO_PROXY: {more:?}");
        }
    }
    // A proxy that cannot be used is named without its password.
    if !value.contains("hidden") {
        let env = env(&format!("http://me:hidden@{value}"), no_proxy.to_owned());
        if let Err(error) = proxy::for_url(&url, &env) {
            let said = format!("{error} {:?} {error:?}", error.hint());
            assert!(!said.contains("hidden"), "{said}");
        }
        let passwords = proxy::passwords(&env);
        assert!(passwords.iter().any(|it| it.starts_with("hidden")));
    }
}
