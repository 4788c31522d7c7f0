//! A real proxy, Debian's tinyproxy. `.ci/run` installs it and runs these.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use stand_in::{Setup, StandIn};

use crate::support::{Reporter, gitlab, shown};

/// A running tinyproxy.
struct TinyProxy {
    child: Child,
    port: u16,
    log: std::path::PathBuf,
}

impl TinyProxy {
    fn start(name: &str, config: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let log = directory.join(format!("{name}.log"));
        let _ = std::fs::remove_file(&log);
        let path = directory.join(format!("{name}.conf"));
        let config = format!(
            "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nLogLevel Connect\nLogFile \"{}\"\n{config}",
            log.display()
        );
        std::fs::write(&path, config).unwrap();
        let child = Command::new("tinyproxy")
            .arg("-d")
            .arg("-c")
            .arg(&path)
            .spawn();
        let child = child.expect("tinyproxy is installed: apt-get install tinyproxy");
        let proxy = Self { child, port, log };
        let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        for _ in 0..100 {
            if listens() {
                return proxy;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("tinyproxy does not listen");
    }

    fn url(&self, user: &str) -> String {
        format!("http://{user}127.0.0.1:{}", self.port)
    }

    fn connects(&self) -> usize {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.matches("CONNECT localhost:").count()
    }
}

impl Drop for TinyProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn report(bitbucket: &StandIn, name: &str) -> Reporter {
    let ca = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-ca.pem"));
    std::fs::write(&ca, bitbucket.ca_pem().unwrap()).unwrap();
    gitlab(bitbucket, ["-v"]).env("SSL_CERT_FILE", ca)
}

#[test]
#[ignore = "needs tinyproxy"]
fn a_proxy_is_gone_through_unless_no_proxy_names_the_host() {
    let bitbucket = Setup::default().tls().start();
    let proxy = TinyProxy::start("proxy", "");
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let before = proxy.connects();
        report(&bitbucket, "proxy")
            .env(variable, proxy.url(""))
            .run()
            .exits(0);
        assert_eq!(proxy.connects(), before + 1, "{variable}");
    }
    let before = proxy.connects();
    for no_proxy in [
        "localhost",
        "*",
        "example.com,localhost",
        &format!("localhost:{}", bitbucket.port()),
    ] {
        let reporter = report(&bitbucket, "proxy").env("HTTPS_PROXY", proxy.url(""));
        reporter.env("NO_PROXY", no_proxy).run().exits(0);
    }
    assert_eq!(proxy.connects(), before);
    assert_eq!(shown(&bitbucket).len(), 1);
    let ran = gitlab(&bitbucket, ["check"])
        .env("HTTPS_PROXY", proxy.url(""))
        .run()
        .exits(5);
    assert!(
        ran.stdout.contains("UnknownIssuer"),
        "a proxy hides no certificate: {ran:#?}"
    );
}

#[test]
#[ignore = "needs tinyproxy"]
fn a_proxys_credentials_are_sent_and_never_shown() {
    let bitbucket = Setup::default().tls().start();
    let proxy = TinyProxy::start("auth", "BasicAuth me pr0xyPassw0rd\n");
    let through = |user: &str| {
        report(&bitbucket, "auth")
            .env("HTTPS_PROXY", proxy.url(user))
            .env("BUILD_STATUS_TIMEOUT", "3")
    };
    let hidden = |ran: crate::support::Ran| {
        assert!(!format!("{ran:?}").contains("pr0xyPassw0rd"), "{ran:#?}");
        ran
    };
    hidden(through("me:pr0xyPassw0rd@").run().exits(0));
    let port = proxy.port;
    let place = format!("through the proxy 127.0.0.1:{port} (from HTTPS_PROXY): it answers 4");
    hidden(through("").run().exits(5))
        .says(&place)
        .says("user name and password");
    hidden(through("me:wrong@").run().exits(5))
        .says(&place)
        .says("refuses these");
    assert_eq!(shown(&bitbucket).len(), 1);
}

#[test]
#[ignore = "needs tinyproxy"]
fn a_proxy_that_does_not_allow_the_port_is_named() {
    let bitbucket = Setup::default().tls().start();
    let proxy = TinyProxy::start("port", "ConnectPort 443\n");
    let reporter = report(&bitbucket, "port").env("HTTPS_PROXY", proxy.url(""));
    reporter
        .env("BUILD_STATUS_TIMEOUT", "3")
        .run()
        .exits(5)
        .says("proxy");
    assert_eq!(bitbucket.connections(), 0);
}

#[test]
fn a_socks_proxy_is_refused_in_words() {
    let bitbucket = StandIn::start();
    let socks = "socks5h://127.0.0.1:1";
    let root = ("BITBUCKET_API_ROOT", "https://api.bitbucket.org/2.0");
    let reporter = gitlab(&bitbucket, []).envs(&[root]).env("ALL_PROXY", socks);
    reporter
        .run()
        .exits(2)
        .says("ALL_PROXY: it is a SOCKS proxy");
    let direct = gitlab(&bitbucket, [])
        .env("ALL_PROXY", socks)
        .env("NO_PROXY", "127.0.0.1");
    direct.run().exits(0);
}
