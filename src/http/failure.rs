//! Failures below HTTP: what they mean, and whether another attempt may help.

use std::io;

use ureq::Timeout;

use crate::http::retry::RetryHint;
use crate::http::tls;

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    /// What happened.
    pub(crate) message: String,
    /// Whether another attempt may help.
    pub(crate) retry_hint: RetryHint,
    /// What may help.
    pub(crate) hint: Option<&'static str>,
    /// Whether the server may act on the request all the same.
    pub(crate) arrival: Arrival,
}

/// When a server may act on a request that it has not answered, or that a gateway has answered for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Arrival {
    /// Never: it does not have the request, or has answered it.
    #[default]
    None,
    /// Within seconds: the connection broke, or something in front of the server gave up.
    Soon,
    /// As long as a gateway waits: nobody has given up but we, or the gateway has waited as well.
    Late,
}

impl Arrival {
    /// That of a request with this answer.
    pub(crate) const fn after(status: u16) -> Self {
        match status {
            504 | 524 => Self::Late,
            408 | 500 | 502 | 503 | 520..=530 => Self::Soon,
            _ => Self::None,
        }
    }

    fn without_an_answer(error: &ureq::Error) -> Self {
        match error {
            _ if is_before_any_connection(error) => Self::None,
            ureq::Error::Timeout(_) => Self::Late,
            ureq::Error::Http(_) | ureq::Error::BadUri(_) | ureq::Error::ConnectProxyFailed(_) => {
                Self::None
            }
            _ => Self::Soon,
        }
    }
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

const DEAD_PROXY: &str = "check HTTPS_PROXY (or HTTP_PROXY, ALL_PROXY); if the host can be reached \
                          directly, add it to NO_PROXY";

const BAD_REQUEST: &str = "a value in the request is too long, or has characters that URLs and \
                           headers do not allow";

impl Failure {
    /// The request's headers have this many bytes.
    pub(crate) fn long_headers(length: usize) -> Self {
        Self {
            message: format!("the request is not sent: its URL and headers have {length} bytes"),
            retry_hint: RetryHint::Lasting,
            hint: Some(BAD_REQUEST),
            arrival: Arrival::None,
        }
    }

    /// rustls panics on a clock before 1970.
    pub(crate) fn clock() -> Self {
        Self {
            message: "the clock of this machine is before 1970, and TLS cannot be checked".into(),
            retry_hint: RetryHint::Lasting,
            hint: Some("set the clock"),
            arrival: Arrival::None,
        }
    }

    /// The same failure of a request through a proxy, which `way` names.
    pub(crate) fn on(mut self, way: &str, error: &ureq::Error) -> Self {
        if is_before_any_connection(error) {
            self.hint = Some(DEAD_PROXY);
        }
        self.message = format!("{way}: {}", self.message);
        self
    }

    /// The meaning of `error`, where only the CAs in `cas` are trusted.
    pub(crate) fn new(error: &ureq::Error, hints: &Hints, cas: Option<&str>) -> Self {
        let network = hints.network;
        if let Some(error) = tls::error(error) {
            let trusted = cas.filter(|_| matches!(error, rustls::Error::InvalidCertificate(_)));
            let trusted = trusted.map(|cas| format!("; only the CAs in {cas} are trusted"));
            return Self {
                message: format!("TLS: {error}{}", trusted.unwrap_or_default()),
                retry_hint: RetryHint::Lasting,
                hint: match (error, hints.certificate) {
                    (rustls::Error::InvalidCertificate(_), Some(hint)) => Some(hint),
                    _ => tls::hint(error),
                },
                arrival: Arrival::None,
            };
        }
        let (message, retry_hint, hint) = match error {
            ureq::Error::Timeout(_) => ("no answer in time".into(), RetryHint::Passing, network),
            ureq::Error::HostNotFound => ("unknown host".into(), RetryHint::UnknownHost, network),
            ureq::Error::Io(error) => (io_message(error), io_retry_hint(error), network),
            ureq::Error::ConnectProxyFailed(text) => refused_by_proxy(text, network),
            ureq::Error::Protocol(_) => (
                error.to_string(),
                RetryHint::Passing,
                "the server does not speak http: check the port, and whether it expects https",
            ),
            // The request itself is invalid, and would be again.
            ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
                (error.to_string(), RetryHint::Lasting, BAD_REQUEST)
            }
            other => (other.to_string(), RetryHint::Passing, network),
        };
        Self {
            message,
            retry_hint,
            hint: Some(hint),
            arrival: Arrival::without_an_answer(error),
        }
    }
}

/// Whether there was no connection yet. After one, the server behind a proxy may be what fails.
fn is_before_any_connection(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            true
        }
        ureq::Error::Io(error) => {
            io_retry_hint(error) == RetryHint::UnknownHost
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
        io::ErrorKind::UnexpectedEof => {
            "the connection was closed before the answer was complete".into()
        }
        _ => error.to_string(),
    }
}

fn io_retry_hint(error: &io::Error) -> RetryHint {
    // WSAHOST_NOT_FOUND, WSANO_RECOVERY, WSANO_DATA, but not WSATRY_AGAIN (11002).
    // https://learn.microsoft.com/en-us/windows/win32/winsock/windows-sockets-error-codes-2
    if let Some(11001 | 11003 | 11004) = error.raw_os_error() {
        return RetryHint::UnknownHost;
    }
    // std has no ErrorKind for this, so that its text has to do. The resolver's own text follows:
    // these are glibc's and musl's for a failing resolver. Any other means an unknown name.
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
        // "proxy server did not respond": it closed the connection, or its answer is too long.
        return (
            "it does not answer CONNECT".into(),
            RetryHint::Passing,
            network,
        );
    };
    let (retry_hint, hint) = match status {
        // tinyproxy answers 401 to a wrong password.
        401 | 407 => (
            RetryHint::Lasting,
            "the proxy requires a user name and password, or refuses these: set HTTPS_PROXY to \
             http://user:password@host:port, with special characters percent-encoded; a host that is \
             not to be called through it stands in NO_PROXY by name (networks do not count)",
        ),
        400..=499 => (
            RetryHint::Lasting,
            "the proxy blocks this host or port: ask its administrators to allow it; if the host can \
             be reached directly, add it to NO_PROXY",
        ),
        _ => (
            RetryHint::Passing,
            "the proxy does not reach the host, or is none: check HTTPS_PROXY, or ask the proxy's \
             administrators",
        ),
    };
    (format!("it answers {status} to CONNECT"), retry_hint, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(error: &ureq::Error) -> Failure {
        Failure::new(error, &Hints::BITBUCKET, None)
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

    #[test]
    fn windows_tells_the_two_apart_by_numbers() {
        let hint = |code| io_retry_hint(&io::Error::from_raw_os_error(code));
        assert_eq!(hint(11001), RetryHint::UnknownHost);
        assert_eq!(hint(11002), RetryHint::Passing);
    }
}
