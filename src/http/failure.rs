//! What went wrong below HTTP, and whether it may go better.

use std::io;

use ureq::Timeout;

use crate::http::retry::RetryHint;
use crate::http::tls;

/// Why no answer came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    /// What happened.
    pub(crate) message: String,
    /// Whether it may go better.
    pub(crate) retry_hint: RetryHint,
    /// What may help.
    pub(crate) hint: Option<&'static str>,
}

/// What may help with a server, by its own settings.
#[derive(Debug)]
pub(crate) struct Hints {
    /// Where it is not reached.
    pub(crate) network: &'static str,
    /// Where its certificate is not trusted, in place of what is said of Bitbucket's.
    pub(crate) certificate: Option<&'static str>,
}

impl Hints {
    pub(crate) const BITBUCKET: Self = Self {
        network: "check the network, BITBUCKET_API_ROOT or BITBUCKET_SERVER_URL, and whether a \
                  proxy is needed (HTTPS_PROXY, NO_PROXY)",
        certificate: None,
    };
}

const DEAD_PROXY: &str = "check HTTPS_PROXY (or HTTP_PROXY, ALL_PROXY); NO_PROXY if the host can be \
                          reached directly";

impl Failure {
    /// The same, where it is a proxy that was called, in `way`.
    pub(crate) fn on(mut self, way: &str, error: &ureq::Error) -> Self {
        if is_before_any_connection(error) {
            self.hint = Some(DEAD_PROXY);
        }
        self.message = format!("{way}: {}", self.message);
        self
    }

    /// Says what `error` means.
    pub(crate) fn new(error: &ureq::Error, hints: &Hints) -> Self {
        let network = hints.network;
        if let Some(error) = tls::error(error) {
            return Self {
                message: format!("TLS: {error}"),
                retry_hint: RetryHint::Lasting,
                hint: tls::hint(error).map(|hint| hints.certificate.unwrap_or(hint)),
            };
        }
        let (message, retry_hint, hint) = match error {
            ureq::Error::Timeout(_) => ("no answer in time".into(), RetryHint::Passing, network),
            ureq::Error::HostNotFound => (
                "the host is unknown".into(),
                RetryHint::UnknownHost,
                network,
            ),
            ureq::Error::Io(error) => (io_message(error), io_setback(error), network),
            ureq::Error::ConnectProxyFailed(text) => refused_by_proxy(text, network),
            ureq::Error::Protocol(_) => (
                error.to_string(),
                RetryHint::Passing,
                "what answers there does not speak http: check the port, and whether it is https",
            ),
            // The request itself is at fault: it would be so again.
            ureq::Error::Http(_) | ureq::Error::BadUri(_) => (
                error.to_string(),
                RetryHint::Lasting,
                "one of the values that go into the request is too long or has characters that no \
                 URL or header can have",
            ),
            other => (other.to_string(), RetryHint::Passing, network),
        };
        Self {
            message,
            retry_hint,
            hint: Some(hint),
        }
    }
}

/// Whether nobody was reached at all: later, it may be the server behind a proxy that fails.
fn is_before_any_connection(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            true
        }
        ureq::Error::Io(error) => {
            io_setback(error) == RetryHint::UnknownHost
                || matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::HostUnreachable
                        | io::ErrorKind::NetworkUnreachable
                )
        }
        _ => false,
    }
}

fn io_message(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection was closed before a whole answer".into(),
        _ => error.to_string(),
    }
}

fn io_setback(error: &io::Error) -> RetryHint {
    // std's words, which have no kind of their own. What follows them is the resolver's: glibc's and
    // musl's for one in trouble, which may pass, or that the name is unknown.
    let text = error.to_string();
    let in_trouble = ["Temporary failure", "Try again"];
    if text.contains("failed to lookup address")
        && !in_trouble.iter().any(|words| text.contains(words))
    {
        RetryHint::UnknownHost
    } else {
        RetryHint::Passing
    }
}

/// ureq has the status in a sentence: "proxy server responded 407/407".
fn refused_by_proxy(text: &str, network: &'static str) -> (String, RetryHint, &'static str) {
    let status = text
        .split(|c: char| !c.is_ascii_digit())
        .find(|word| !word.is_empty());
    let Some(status) = status.and_then(|status| status.parse::<u16>().ok()) else {
        // "proxy server did not respond": it has closed the connection, or said too much.
        return (
            "it does not answer CONNECT".into(),
            RetryHint::Passing,
            network,
        );
    };
    let (retry_hint, hint) = match status {
        // 401 is tinyproxy's word for a wrong password.
        401 | 407 => (
            RetryHint::Lasting,
            "the proxy asks for a user name and password, or refuses these: HTTPS_PROXY is \
             http://user:password@host:port, with special characters percent-encoded",
        ),
        400..=499 => (
            RetryHint::Lasting,
            "the proxy does not let this host or port through: ask its administrators, or name the \
             host in NO_PROXY if it can be reached directly",
        ),
        _ => (RetryHint::Passing, network),
    };
    (format!("it answers {status} to CONNECT"), retry_hint, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(error: &ureq::Error) -> Failure {
        Failure::new(error, &Hints::BITBUCKET)
    }

    #[test]
    fn a_proxys_refusal_lasts_and_its_own_trouble_may_pass() {
        for (text, status, lasting) in [
            ("proxy server responded 407/407", 407, true),
            ("proxy server responded 403/Forbidden", 403, true),
            ("proxy server responded 502/502", 502, false),
        ] {
            let failure = failure(&ureq::Error::ConnectProxyFailed(text.into()));
            assert_eq!(failure.message, format!("it answers {status} to CONNECT"));
            assert_eq!(failure.retry_hint == RetryHint::Lasting, lasting, "{text}");
        }
    }

    #[test]
    fn a_proxy_that_says_nothing_is_not_quoted() {
        let text = "proxy server did not respond";
        let failure = failure(&ureq::Error::ConnectProxyFailed(text.into()));
        assert_eq!(failure.message, "it does not answer CONNECT");
        assert_eq!(failure.retry_hint, RetryHint::Passing);
    }

    #[test]
    fn a_proxy_is_what_to_check_until_it_was_reached() {
        let hint = |error| failure(&error).on("through the proxy p:1", &error).hint;
        let io = |kind: io::ErrorKind| hint(ureq::Error::Io(kind.into()));
        assert_eq!(io(io::ErrorKind::ConnectionRefused), Some(DEAD_PROXY));
        assert_eq!(hint(ureq::Error::HostNotFound), Some(DEAD_PROXY));
        assert_eq!(
            io(io::ErrorKind::UnexpectedEof),
            Some(Hints::BITBUCKET.network)
        );
        let late = ureq::Error::Timeout(Timeout::RecvResponse);
        assert_eq!(hint(late), Some(Hints::BITBUCKET.network));
    }

    #[test]
    fn an_unknown_name_is_told_from_a_resolver_in_trouble() {
        let failure = |text: &str| failure(&ureq::Error::Io(io::Error::other(text.to_owned())));
        let unknown = failure("failed to lookup address information: Name or service not known");
        assert_eq!(unknown.retry_hint, RetryHint::UnknownHost);
        for trouble in ["Temporary failure in name resolution", "Try again"] {
            let trouble = failure(&format!("failed to lookup address information: {trouble}"));
            assert_eq!(trouble.retry_hint, RetryHint::Passing);
        }
    }
}
