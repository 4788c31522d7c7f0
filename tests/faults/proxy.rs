//! Proxies on the way.

use std::time::Duration;

use crate::case::{Case, Time};
use crate::front::{Call, tunnel};

const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

fn bad_gateway(call: &mut Call) {
    call.request();
    call.say("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
}

fn let_through(call: &mut Call) {
    call.request();
    call.say(ESTABLISHED);
    tunnel(call);
}

fn silence(call: &mut Call) {
    call.request();
    call.hold();
}

/// Every fault of this kind.
pub(crate) fn cases() -> Vec<Case> {
    let lasts = |fault, act| Case::proxied(fault).then(act);
    vec![
        Case::proxied("nobody listens").nowhere(),
        lasts("it refuses: 403", |call| {
            call.request();
            call.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        })
        .ends(Time::AtOnce),
        lasts("it wants credentials: 407", |call| {
            call.request();
            call.say("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
        })
        .ends(Time::AtOnce),
        lasts("it cannot reach the host: 502", bad_gateway),
        Case::proxied("502 once, then it lets through")
            .first(&[bad_gateway])
            .then(let_through)
            .ready(Time::Soon),
        lasts("no answer to CONNECT", silence),
        Case::proxied("no answer to CONNECT once, then it lets through")
            .first(&[silence])
            .then(let_through)
            .ready(Time::Soon),
        lasts("it lets through, then silence", |call| {
            call.request();
            call.say(ESTABLISHED);
            call.hold();
        }),
        lasts("one byte a second", |call| {
            call.request();
            call.say_slowly(ESTABLISHED, Duration::from_secs(1));
        })
        .timeout(4),
        lasts("ten bytes a second, for ever", |call| {
            call.request();
            call.say("HTTP/1.1 200 OK\r\nX-Long: ");
            call.say_for_ever("x", Duration::from_millis(100));
        }),
        lasts("one byte a second, after it has let through", |call| {
            call.request();
            call.say(ESTABLISHED);
            call.tunnel(Duration::from_secs(1));
        })
        .timeout(4),
        lasts("closed without an answer", |call| {
            call.request();
        }),
        lasts("reset", |call| {
            call.request();
            call.reset();
        }),
        lasts("its own request for an answer", |call| {
            let request = call.request();
            call.say(request);
            call.hold();
        }),
        lasts("a header of 1 MB", |call| {
            call.request();
            let long = "x".repeat(1_000_000);
            call.say(format!("HTTP/1.1 200 OK\r\nX-Long: {long}\r\n\r\n"));
            call.hold();
        }),
    ]
}
