//! A fault, how the binary is called to meet it, and what must hold whatever the fault is.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use stand_in::{DEFAULT_TOKEN, DEFAULT_USER, Setup, StandIn};

use crate::front::{Act, Front, pass, tunnel};
use crate::support::{Ran, Reporter, gitlab, shown};

const PROXY_PASSWORD: &str = "pr0xyPassw0rd";

/// How long the binary takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Time {
    /// There is nothing to wait for.
    AtOnce,
    /// It needs another attempt, or has to wait for something, and ends before `--timeout`.
    Soon,
    /// It tries until there is no time left.
    UntilTimeout,
}

/// How the binary gets to the server that misbehaves.
#[derive(Clone)]
enum Way {
    Http,
    Https {
        trusted: bool,
    },
    Proxy,
    Named {
        host: &'static str,
        ip: IpAddr,
        tls: bool,
    },
}

/// A fault.
#[derive(Clone)]
pub(crate) struct Case {
    fault: &'static str,
    way: Way,
    setup: Setup,
    /// What is done with the first connections, and with all others.
    first: &'static [Act],
    then: Act,
    /// Another address on the same port, and what is done with its connections.
    beside: Option<(IpAddr, Act)>,
    listens: bool,
    args: &'static [&'static str],
    timeout: u64,
    time: Time,
    /// Bitbucket is ready to accept within the time: then the status must be stored.
    ready: bool,
    /// Bitbucket stores the status, whatever comes back.
    stores: bool,
    /// Which of two errors is seen depends on the order in which bytes and a reset arrive.
    says_any: bool,
    /// What is done to the call.
    around: fn(Reporter) -> Reporter,
}

/// How it ended: a line of the table.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Row {
    fault: String,
    /// None, if something does not hold that must.
    line: Option<String>,
}

impl Row {
    pub(crate) fn failed(fault: &str) -> Self {
        Self {
            fault: fault.to_owned(),
            line: None,
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.line.is_none()
    }

    pub(crate) fn text(&self) -> String {
        let failed = || format!("| {} | FAILED |", self.fault);
        self.line.clone().unwrap_or_else(failed)
    }
}

impl Case {
    fn new(fault: &'static str, way: Way, setup: Setup, then: Act) -> Self {
        Self {
            fault,
            way,
            setup,
            first: &[],
            then,
            beside: None,
            listens: true,
            args: &["passed"],
            timeout: 3,
            time: Time::UntilTimeout,
            ready: false,
            stores: false,
            says_any: false,
            around: |reporter| reporter,
        }
    }

    /// Bitbucket over plain http.
    pub(crate) fn http(fault: &'static str) -> Self {
        Self::new(fault, Way::Http, Setup::default(), pass)
    }

    /// Bitbucket over TLS, set up like this.
    pub(crate) fn https(fault: &'static str, setup: Setup) -> Self {
        Self::new(fault, Way::Https { trusted: true }, setup, tunnel)
    }

    /// Bitbucket over TLS, through the server that misbehaves.
    pub(crate) fn proxied(fault: &'static str) -> Self {
        Self::new(fault, Way::Proxy, Setup::default().tls(), tunnel)
    }

    /// Bitbucket by this name, with the server listening on `ip`.
    pub(crate) fn named(fault: &'static str, host: &'static str, ip: IpAddr) -> Self {
        let way = Way::Named {
            host,
            ip,
            tls: false,
        };
        Self::new(fault, way, Setup::default(), pass)
    }

    /// The same over TLS.
    pub(crate) fn named_tls(fault: &'static str, host: &'static str, ip: IpAddr) -> Self {
        let way = Way::Named {
            host,
            ip,
            tls: true,
        };
        Self::new(fault, way, Setup::default().tls_for_host(host), tunnel)
    }

    pub(crate) fn first(mut self, acts: &'static [Act]) -> Self {
        self.first = acts;
        self
    }

    pub(crate) fn then(mut self, act: Act) -> Self {
        self.then = act;
        self
    }

    pub(crate) fn beside(mut self, ip: IpAddr, act: Act) -> Self {
        self.beside = Some((ip, act));
        self
    }

    pub(crate) fn nowhere(mut self) -> Self {
        self.listens = false;
        self
    }

    pub(crate) fn distrusting(mut self) -> Self {
        self.way = Way::Https { trusted: false };
        self
    }

    pub(crate) fn args(mut self, args: &'static [&'static str]) -> Self {
        self.args = args;
        self
    }

    pub(crate) fn timeout(mut self, seconds: u64) -> Self {
        self.timeout = seconds;
        self
    }

    pub(crate) fn ends(mut self, time: Time) -> Self {
        self.time = time;
        // It is not needed then, unless the machine is very busy.
        if time != Time::UntilTimeout {
            self.timeout = 8;
        }
        self
    }

    pub(crate) fn ready(mut self, time: Time) -> Self {
        self.ready = true;
        self.ends(time)
    }

    pub(crate) fn stores(mut self) -> Self {
        self.stores = true;
        self
    }

    pub(crate) fn says_any(mut self) -> Self {
        self.says_any = true;
        self
    }

    pub(crate) fn around(mut self, around: fn(Reporter) -> Reporter) -> Self {
        self.around = around;
        self
    }

    pub(crate) fn fault(&self) -> &'static str {
        self.fault
    }

    /// Calls the binary, and asserts on what holds of every fault.
    pub(crate) fn run(self) -> Row {
        let fault = self.fault;
        let bitbucket = self.setup.clone().start();
        let ip = match self.way {
            Way::Named { ip, .. } => ip,
            _ => Ipv4Addr::LOCALHOST.into(),
        };
        let start = |ip, port, first, then| Front::start(ip, port, first, then, bitbucket.port());
        let mut fronts = Vec::new();
        if self.listens {
            fronts.push(start(ip, 0, self.first, self.then));
        }
        // Port 1 has nobody.
        let port = fronts.first().map_or(1, |front| front.port);
        if let Some((ip, act)) = self.beside {
            fronts.push(start(ip, port, &[], act));
        }
        let (ran, elapsed) = self.call(&bitbucket, port);

        let limit = Duration::from_secs(self.timeout);
        assert!(
            elapsed < limit + Duration::from_secs(1),
            "{fault}: {elapsed:?} {ran:#?}"
        );
        let in_time = match self.time {
            Time::AtOnce => elapsed < Duration::from_secs(2),
            Time::Soon => elapsed < limit,
            // An attempt of less than 0.25 s is not begun.
            Time::UntilTimeout => elapsed + Duration::from_millis(300) > limit,
        };
        assert!(in_time, "{fault}: {:?}, {elapsed:?} {ran:#?}", self.time);
        hides_secrets(&ran);
        let code = ran.code.unwrap_or(-1);
        let ran = ran.exits(code);
        assert!([0, 4, 5].contains(&code), "{fault}: {ran:#?}");

        let stored = shown(&bitbucket);
        assert!(stored.len() <= 1, "{fault}: {stored:?}");
        let expected = match self.args[0] {
            "running" => "INPROGRESS",
            _ => "SUCCESSFUL",
        };
        let is_stored = stored.iter().any(|(_, state)| state == expected);
        assert_eq!(
            is_stored,
            self.ready || self.stores,
            "{fault}: {stored:?} {ran:#?}"
        );
        let is_run = self.args[0] == "run";
        if is_run {
            let warned = ran.stderr.contains("warning: not reached");
            assert_eq!(warned, !self.ready, "{fault}: {ran:#?}");
        } else {
            assert_eq!(code == 0, self.ready, "{fault}: {ran:#?}");
        }

        let count = |number: usize| match number {
            2.. if self.time == Time::UntilTimeout => "several".to_owned(),
            number => number.to_string(),
        };
        let connections: usize = fronts.iter().map(Front::connections).sum();
        let requests: usize = fronts.iter().map(Front::requests).sum();
        let requests = requests + bitbucket.received().len();
        let time = match self.time {
            Time::AtOnce => "at once",
            Time::Soon => "soon",
            Time::UntilTimeout => "until `--timeout`",
        };
        let says = if self.says_any || self.ready {
            "-".to_owned()
        } else {
            says(&ran)
        };
        Row {
            fault: fault.to_owned(),
            line: Some(format!(
                "| {fault} | {code} | {time} | {} | {} | {} | {says} |",
                count(connections),
                count(requests),
                if is_stored { "yes" } else { "no" },
            )),
        }
    }

    fn call(&self, bitbucket: &StandIn, port: u16) -> (Ran, Duration) {
        let name: String = self
            .fault
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let ca = || {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fault-{name}.pem"));
            std::fs::write(&path, bitbucket.ca_pem().unwrap()).unwrap();
            path
        };
        let command = self.args.iter().position(|arg| *arg == "--");
        let (options, command) = self.args.split_at(command.unwrap_or(self.args.len()));
        let args = options.iter().chain(&["-v"]).chain(command).copied();
        let reporter = gitlab(bitbucket, args)
            .env("BITBUCKET_USERNAME", DEFAULT_USER)
            .env("BUILD_STATUS_TIMEOUT", self.timeout.to_string());
        let reporter = match self.way {
            Way::Http => reporter.env("BITBUCKET_API_ROOT", format!("http://127.0.0.1:{port}/2.0")),
            Way::Https { trusted } => {
                let reporter = reporter.env(
                    "BITBUCKET_API_ROOT",
                    format!("https://localhost:{port}/2.0"),
                );
                if trusted {
                    reporter.env("SSL_CERT_FILE", ca())
                } else {
                    reporter
                }
            }
            Way::Proxy => reporter.env("SSL_CERT_FILE", ca()).env(
                "HTTPS_PROXY",
                format!("http://me:{PROXY_PASSWORD}@127.0.0.1:{port}"),
            ),
            Way::Named { host, tls, .. } if tls => reporter
                .env("BITBUCKET_API_ROOT", format!("https://{host}:{port}/2.0"))
                .env("SSL_CERT_FILE", ca()),
            Way::Named { host, .. } => reporter
                .env("BITBUCKET_API_ROOT", format!("http://{host}:{port}/2.0"))
                .env("BUILD_STATUS_ALLOW_HTTP", "true"),
        };
        let reporter = (self.around)(reporter);
        let started = Instant::now();
        let ran = reporter.run();
        (ran, started.elapsed())
    }
}

/// No secret is in either stream, nor its base64 form, nor all but the end of one.
fn hides_secrets(ran: &Ran) {
    let basic = |user: &str, password: &str| STANDARD.encode(format!("{user}:{password}"));
    for secret in [
        DEFAULT_TOKEN.to_owned(),
        STANDARD.encode(DEFAULT_TOKEN),
        basic(DEFAULT_USER, DEFAULT_TOKEN),
        PROXY_PASSWORD.to_owned(),
        STANDARD.encode(PROXY_PASSWORD),
        basic("me", PROXY_PASSWORD),
    ] {
        let most = &secret[..secret.len() - 4];
        let printed = ran.stdout.contains(most) || ran.stderr.contains(most);
        assert!(!printed, "{secret} in {ran:#?}");
    }
}

/// What it says of an attempt, without what differs from run to run. Each attempt says the same, or
/// that it had no time to see as much.
fn says(ran: &Ran) -> String {
    let lines = ran.stderr.lines().map(|line| {
        let line = line.trim_start_matches("build_status: ");
        line.trim_start_matches("warning: ")
    });
    let lines: Vec<_> = lines.collect();
    let is_end = |line: &&&str| {
        let starts = ["not reached: ", "refused: ", "failing: "];
        starts.iter().any(|start| line.starts_with(start))
    };
    assert_eq!(lines.iter().filter(is_end).count(), 1, "{ran:#?}");
    let end = *lines.iter().find(is_end).unwrap();
    let attempts = lines.iter().filter_map(|line| {
        let (_, line) = line.strip_prefix("attempt ")?.split_once(": ")?;
        Some(line.rsplit_once("; trying again")?.0)
    });
    let end = end.rsplit_once("; gave up").map_or(end, |(end, _)| end);
    let attempts: Vec<_> = attempts.chain([end]).collect();
    let is_hasty = |text: &str| text.ends_with("no answer in time");
    let said = attempts.iter().find(|text| !is_hasty(text)).unwrap_or(&end);
    let agree = attempts.iter().all(|text| text == said || is_hasty(text));
    assert!(agree, "{ran:#?}");
    without_numbers(said).replace('|', "\\|")
}

/// Ports, times and folders differ from run to run: N for each number of four digits or with a fraction.
fn without_numbers(text: &str) -> String {
    let mut kept = Vec::new();
    for word in text.split(' ') {
        if word.contains('.') && word.parse::<f64>().is_ok() {
            kept.push("N".to_owned());
            continue;
        }
        if word.starts_with(env!("CARGO_TARGET_TMPDIR")) {
            kept.push("FILE".to_owned());
            continue;
        }
        let parts = word.split_inclusive(|c: char| !c.is_ascii_digit());
        let part = |part: &str| {
            let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
            let is_long = part.len() - rest.len() >= 4;
            if is_long {
                format!("N{rest}")
            } else {
                part.to_owned()
            }
        };
        kept.push(parts.map(part).collect());
    }
    kept.join(" ")
}
