//! A resolver on 127.0.0.1:53 that knows a few names, and fails as told.

use std::collections::HashMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A name.
pub(crate) struct Name {
    pub(crate) host: &'static str,
    /// In this order.
    pub(crate) addresses: &'static [&'static str],
    pub(crate) trouble: Trouble,
}

/// What is the matter with the answers. A look-up takes two queries, for A and AAAA; glibc asks
/// twice when a server fails.
#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    None,
    /// The first so many queries fail.
    Fails(usize),
    /// The first so many queries are told that there is no such name.
    Unknown(usize),
    /// The first so many queries are not answered.
    Silent(usize),
    /// Every answer takes so many milliseconds.
    Slow(u64),
}

const A: [u8; 2] = [0, 1];
const AAAA: [u8; 2] = [0, 28];
const SERVER_FAILURE: u8 = 2;
const NO_SUCH_NAME: u8 = 3;

/// Starts it. It ends with the process.
pub(crate) fn start(names: &'static [Name]) {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:53").unwrap());
    thread::spawn(move || {
        let mut asked = HashMap::new();
        loop {
            let mut query = [0; 512];
            let (length, from) = socket.recv_from(&mut query).unwrap();
            let query = query[..length].to_vec();
            let (host, kind) = question(&query);
            let number = asked.entry(host.clone()).or_insert(0);
            *number += 1;
            let number = *number;
            let name = names.iter().find(|name| name.host == host);
            let trouble = name.map_or(Trouble::Unknown(usize::MAX), |name| name.trouble);
            let addresses = name.map_or(&[][..], |name| name.addresses);
            let answer = match trouble {
                Trouble::Silent(first) if number <= first => continue,
                Trouble::Fails(first) if number <= first => answer(&query, SERVER_FAILURE, &[]),
                Trouble::Unknown(first) if number <= first => answer(&query, NO_SUCH_NAME, &[]),
                _ => answer(&query, 0, &records(kind, addresses)),
            };
            let socket = Arc::clone(&socket);
            thread::spawn(move || {
                if let Trouble::Slow(ms) = trouble {
                    thread::sleep(Duration::from_millis(ms));
                }
                socket.send_to(&answer, from).unwrap();
            });
        }
    });
}

/// The name that is asked for, and which kind of address.
fn question(query: &[u8]) -> (String, [u8; 2]) {
    let mut labels = Vec::new();
    let mut at = 12;
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
        at = end;
    }
    (labels.join("."), [query[at + 1], query[at + 2]])
}

fn records(kind: [u8; 2], addresses: &[&str]) -> Vec<Vec<u8>> {
    let data = addresses
        .iter()
        .filter_map(|address| match (address.parse().unwrap(), kind) {
            (IpAddr::V4(address), A) => Some(address.octets().to_vec()),
            (IpAddr::V6(address), AAAA) => Some(address.octets().to_vec()),
            _ => None,
        });
    data.map(|data| {
        // the name of the question, its kind, class IN, 60 seconds, a length
        let mut record = vec![0xc0, 12];
        record.extend(kind);
        record.extend([0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
        record.extend(data);
        record
    })
    .collect()
}

fn answer(query: &[u8], code: u8, records: &[Vec<u8>]) -> Vec<u8> {
    let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let count = u8::try_from(records.len()).unwrap();
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    answer.extend(&query[12..end]);
    answer.extend(records.concat());
    answer
}
