//! TLS that stalls, is too old, or shows a certificate that nobody should believe.

use std::time::Duration;

use stand_in::Setup;

use crate::case::{Case, Time};
use crate::front::{Call, tunnel};

fn stall(call: &mut Call) {
    call.hold();
}

fn reset(call: &mut Call) {
    call.begin();
    call.reset();
}

/// A server that knows nothing newer than TLS 1.1 chooses that.
fn tls_1_1(call: &mut Call) {
    call.begin();
    let mut hello = vec![0x03, 0x02];
    hello.extend([7; 32]); // what should be random
    hello.extend([0x00, 0xc0, 0x13, 0x00]); // no session; ECDHE-RSA-AES128-SHA; no compression
    let mut record = vec![0x16, 0x03, 0x02, 0x00, 0x2a, 0x02, 0x00, 0x00, 0x26];
    record.extend(hello);
    call.say(record);
    call.hold();
}

/// Every fault of this kind.
pub(crate) fn cases() -> Vec<Case> {
    let setup = Setup::default;
    let lasts = |fault, act| Case::https(fault, setup().tls()).then(act);
    vec![
        lasts("the handshake stalls", stall),
        Case::https("the handshake stalls once, then all is well", setup().tls())
            .first(&[stall])
            .ready(Time::Soon),
        lasts("the handshake stalls half way", |call| {
            call.begin();
            call.say([0x16, 0x03, 0x03, 0x00, 0x7a, 0x02, 0x00, 0x00, 0x76, 0x03]);
            call.hold();
        }),
        lasts("the handshake, one byte a second", |call| {
            call.tunnel(Duration::from_secs(1));
        })
        .timeout(4),
        lasts("the handshake, ten bytes a second", |call| {
            call.tunnel(Duration::from_millis(100));
        }),
        lasts("reset in the handshake", reset),
        Case::https(
            "reset in the handshake twice, then all is well",
            setup().tls(),
        )
        .first(&[reset, reset])
        .ready(Time::Soon),
        lasts("closed in the handshake", Call::begin),
        lasts("http on the port", |call| {
            call.begin();
            call.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            call.hold();
        })
        .ends(Time::AtOnce),
        lasts("TLS 1.1 and nothing newer", tls_1_1).ends(Time::AtOnce),
        Case::https("a certificate that has expired", setup().tls_expired()).ends(Time::AtOnce),
        Case::https(
            "a certificate for another name",
            setup().tls_for_host("git.example.com"),
        )
        .ends(Time::AtOnce),
        Case::https("a certificate of an unknown CA", setup().tls())
            .distrusting()
            .ends(Time::AtOnce),
        // Looking whose certificate it was takes a second connection.
        Case::https(
            "an expired certificate, then silence",
            setup().tls_expired(),
        )
        .first(&[tunnel])
        .then(stall)
        .ends(Time::Soon),
    ]
}
