//! Names and addresses: a resolver that fails, addresses where nobody is. They are tried in a
//! network namespace, with files of its own in the place of `/etc/hosts` and `/etc/resolv.conf`.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::case::{Case, Row, Time};
use crate::connections::{reset_unread, silence};
use crate::dns::{self, Name, Trouble};
use crate::front::{Call, tunnel};
use crate::run_all;

/// Where the server listens.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 80));

/// Makes the network. 203.0.113.0/24 is this machine; it calls from another address, or else glibc
/// would try its own before all others. 192.0.2.0/24 and 2001:db8:6::/64 lead to nobody who would
/// answer. 198.51.100.x cannot be called by TCP, for three reasons; that UDP could keeps glibc from
/// trying them last. There is no route to the rest of the world.
const NETWORK: &str = "set -e
ip link set lo up
ip address add 192.0.2.80/32 dev lo
ip route add local 203.0.113.0/24 dev lo src 192.0.2.80
ip route add 192.0.2.0/24 dev lo src 192.0.2.80
ip route add 198.51.100.0/24 dev lo src 192.0.2.80
ip rule add to 198.51.100.1 ipproto tcp blackhole
ip rule add to 198.51.100.2 ipproto tcp prohibit
ip rule add to 198.51.100.3 ipproto tcp unreachable
ip -6 address add 2001:db8::80/128 dev lo
ip -6 route add 2001:db8:6::/64 dev lo
for file in hosts resolv.conf nsswitch.conf; do mount --bind \"$1/$file\" /etc/$file; done
shift
exec \"$@\"";

const FILES: [(&str, &str); 3] = [
    ("hosts", "::1 localhost\n127.0.0.1 localhost\n"),
    ("resolv.conf", "nameserver 127.0.0.1\n"),
    ("nsswitch.conf", "hosts: files dns\n"),
];

/// The first address of `deaf.test`, `resets.test` and `sick.test`.
const BESIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 81));

const SERVER: &str = "203.0.113.80";

const MANY: &[&str] = &[
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.3",
    "192.0.2.4",
    "192.0.2.5",
    "192.0.2.6",
    "192.0.2.7",
    "192.0.2.8",
    "192.0.2.9",
    SERVER,
];

const NAMES: &[Name] = &[
    known("no-ipv6.test", &["2001:db8::1", SERVER]),
    known("refused.test", &["203.0.113.81", SERVER]),
    known(
        "routes.test",
        &["198.51.100.1", "198.51.100.2", "198.51.100.3", SERVER],
    ),
    known("hole.test", &["192.0.2.1", SERVER]),
    known("holes.test", &["192.0.2.1", "192.0.2.2", SERVER]),
    known(
        "ipv6.test",
        &["2001:db8:6::1", "2001:db8:6::2", "2001:db8:6::3", SERVER],
    ),
    known("many.test", MANY),
    known("far.test", &["192.0.2.1", "192.0.2.2", SERVER]),
    known("further.test", MANY),
    known("gone.test", &["192.0.2.1", "192.0.2.2"]),
    known("deaf.test", &["203.0.113.81", SERVER]),
    known("resets.test", &["203.0.113.81", SERVER]),
    known("sick.test", &["203.0.113.81", SERVER]),
    troubled("once.test", Trouble::Fails(4)),
    troubled("unknown-once.test", Trouble::Unknown(2)),
    troubled("deaf-once.test", Trouble::Silent(2)),
    troubled("slow.test", Trouble::Slow(700)),
    troubled("fails.test", Trouble::Fails(usize::MAX)),
    troubled("silent.test", Trouble::Silent(usize::MAX)),
];

const fn known(host: &'static str, addresses: &'static [&'static str]) -> Name {
    Name {
        host,
        addresses,
        trouble: Trouble::None,
    }
}

const fn troubled(host: &'static str, trouble: Trouble) -> Name {
    Name {
        host,
        addresses: &[SERVER],
        trouble,
    }
}

fn sick(call: &mut Call) {
    call.request();
    call.say("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
}

/// As if the handshake took 300 ms.
fn far_away(call: &mut Call) {
    thread::sleep(Duration::from_millis(300));
    tunnel(call);
}

fn cases() -> Vec<Case> {
    let (soon, at_once) = (Time::Soon, Time::AtOnce);
    let delivers = |fault, host, time| Case::named(fault, host, HERE).ready(time);
    let fails = |fault, host| Case::named(fault, host, HERE);
    vec![
        Case::named(
            "`localhost` is ::1 first, with nobody there",
            "localhost",
            Ipv4Addr::LOCALHOST.into(),
        )
        .ready(at_once),
        delivers(
            "IPv6 without a route, then the server",
            "no-ipv6.test",
            at_once,
        ),
        delivers("refused, then the server", "refused.test", at_once),
        delivers(
            "routes that lead nowhere, then the server",
            "routes.test",
            at_once,
        ),
        delivers("a black hole, then the server", "hole.test", soon),
        delivers("two black holes, then the server", "holes.test", soon),
        delivers(
            "three IPv6 addresses in a black hole, then the server",
            "ipv6.test",
            soon,
        ),
        delivers("nine black holes, then the server", "many.test", soon),
        Case::named_tls("two black holes, then a server far away", "far.test", HERE)
            .then(far_away)
            .ready(soon),
        Case::named_tls(
            "nine black holes, then a server far away",
            "further.test",
            HERE,
        )
        .then(far_away)
        .ready(soon),
        fails("two black holes and nothing else", "gone.test"),
        delivers(
            "an address that never answers, then the server",
            "deaf.test",
            soon,
        )
        .beside(BESIDE, silence),
        delivers(
            "an address that resets, then the server",
            "resets.test",
            soon,
        )
        .beside(BESIDE, reset_unread),
        delivers(
            "an address that says 503, then the server",
            "sick.test",
            soon,
        )
        .beside(BESIDE, sick),
        delivers("the resolver fails once", "once.test", soon),
        delivers(
            "the resolver knows no such name, once",
            "unknown-once.test",
            soon,
        ),
        delivers("the resolver does not answer, once", "deaf-once.test", soon),
        delivers("the resolver takes 0.7 s", "slow.test", soon),
        fails("the resolver fails", "fails.test"),
        fails("the resolver does not answer", "silent.test"),
        fails("the resolver knows no such name", "unknown.test").ends(soon),
        fails("`run -- true`: the resolver does not answer", "silent.test")
            .args(&["run", "--", "true"]),
    ]
}

/// Tries the cases in a network of their own, if this machine lets us have one.
pub(crate) fn run_elsewhere() -> Option<Vec<Row>> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("names");
    std::fs::create_dir_all(&directory).unwrap();
    for (name, content) in FILES {
        std::fs::write(directory.join(name), content).unwrap();
    }
    let inside = |program: &[&str]| {
        let mut command = Command::new("unshare");
        command
            .args([
                "--map-root-user",
                "--net",
                "--mount",
                "sh",
                "-c",
                NETWORK,
                "sh",
            ])
            .arg(&directory)
            .args(program);
        command
    };
    let problem = match inside(&["true"]).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("unshare: {error}")),
    };
    if let Some(problem) = problem {
        let text = "LEFT OUT: names and addresses, which need a network namespace";
        // eprintln would be shown if the test fails only.
        let _ = writeln!(std::io::stderr(), "{text} ({problem})");
        return None;
    }
    let file = directory.join("rows.json");
    let _ = std::fs::remove_file(&file);
    let program = std::env::current_exe().unwrap();
    let test = ["--exact", "names_and_addresses", "--ignored", "--nocapture"];
    let status = inside(&[program.to_str().unwrap()])
        .args(test)
        .env("FAULT_ROWS", &file)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "names and addresses");
    Some(serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap())
}

/// Tries them here, where the network has been made.
pub(crate) fn run_here() {
    let Some(file) = std::env::var_os("FAULT_ROWS") else {
        return;
    };
    dns::start(NAMES);
    let rows = run_all(cases());
    std::fs::write(file, serde_json::to_vec(&rows).unwrap()).unwrap();
}
