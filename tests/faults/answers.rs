//! Answers: HTTP as it should not be.

use std::time::Duration;

use crate::case::{Case, Time};
use crate::front::{Act, Call};

const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n";

const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\n";

pub(crate) fn drip(call: &mut Call) {
    let answer = call.answer();
    call.say_slowly(answer, Duration::from_secs(1));
}

fn half_headers(call: &mut Call) {
    let answer = call.answer();
    call.say(&answer[..60]);
}

fn half_body(call: &mut Call) {
    let answer = call.answer();
    call.say(&answer[..answer.len() - 20]);
}

fn garbage(call: &mut Call) {
    // Its own request, credentials included.
    let request = call.request();
    call.say(request);
}

fn early(call: &mut Call) {
    call.say("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    call.leave_unread();
}

/// Every fault of this kind.
pub(crate) fn cases() -> Vec<Case> {
    [cut_or_slow(), too_much(), something_else()]
        .into_iter()
        .flatten()
        .collect()
}

fn lasts(fault: &'static str, act: Act) -> Case {
    Case::http(fault).then(act)
}

fn cut_or_slow() -> Vec<Case> {
    vec![
        lasts("half of the headers", half_headers).stores(),
        lasts("half of the body", half_body).stores(),
        Case::http("half of the headers, half of the body, then all is well")
            .first(&[half_headers, half_body])
            .ready(Time::Soon),
        lasts("one byte a second", drip).timeout(4).stores(),
        lasts("ten bytes a second, for ever", |call| {
            call.answer();
            call.say(format!("{CREATED}X-Long: "));
            call.say_for_ever("x", Duration::from_millis(100));
        })
        .stores(),
        lasts("one byte a second, in the body of a 401", |call| {
            call.request();
            call.say(format!(
                "{UNAUTHORIZED}Content-Length: 40\r\n\r\nNo such token\n"
            ));
            call.say_slowly([b'.'; 40], Duration::from_secs(1));
        })
        .ends(Time::Soon),
        lasts("half of the body of a 401", |call| {
            call.request();
            call.say(format!(
                "{UNAUTHORIZED}Content-Length: 40\r\n\r\nNo such token\n"
            ));
        })
        .ends(Time::AtOnce),
        lasts(
            "half of the body of a 401 that repeats its credentials",
            |call| {
                let request = String::from_utf8(call.request()).unwrap();
                let (_, sent) = request.split_once("authorization: ").unwrap();
                let (sent, _) = sent.split_once("\r\n").unwrap();
                let most = &sent[..sent.len() - 3];
                call.say(format!(
                    "{UNAUTHORIZED}Content-Length: 900\r\n\r\nYou sent {most}"
                ));
            },
        )
        .ends(Time::AtOnce),
    ]
}

/// More or less than it should be, or not what it says.
fn too_much() -> Vec<Case> {
    vec![
        lasts("a header of 1 MB", |call| {
            call.answer();
            let long = "x".repeat(1_000_000);
            call.say(format!(
                "{CREATED}X-Long: {long}\r\nContent-Length: 2\r\n\r\n{{}}"
            ));
            call.hold();
        })
        .stores(),
        lasts("ten thousand headers", |call| {
            call.answer();
            call.say(format!("{CREATED}{}\r\n", "X: y\r\n".repeat(10_000)));
            call.hold();
        })
        .stores(),
        lasts("a body without end", |call| {
            call.answer();
            call.say(format!("{CREATED}\r\n["));
            call.say_for_ever(&"1,".repeat(1000), Duration::ZERO);
        })
        .ends(Time::AtOnce)
        .stores(),
        lasts("a Content-Length longer than the body", |call| {
            call.answer();
            call.say(format!("{CREATED}Content-Length: 50\r\n\r\n{{}}"));
            call.hold();
        })
        .stores(),
        lasts("a Content-Length shorter than the body", |call| {
            call.answer();
            call.say(format!(
                "{CREATED}Content-Length: 8\r\n\r\n{{\"key\": \"k\"}}"
            ));
            call.hold();
        })
        .ends(Time::AtOnce)
        .stores(),
        lasts("a Content-Length that is no number", |call| {
            call.answer();
            call.say(format!("{CREATED}Content-Length: many\r\n\r\n{{}}"));
            call.hold();
        })
        .stores(),
        lasts("chunks that are none", |call| {
            call.answer();
            call.say(format!(
                "{CREATED}Transfer-Encoding: chunked\r\n\r\nmany\r\n{{}}\r\n"
            ));
            call.hold();
        })
        .stores(),
    ]
}

/// Not the answer.
fn something_else() -> Vec<Case> {
    vec![
        lasts("100 Continue for ever", |call| {
            call.request();
            call.say_for_ever("HTTP/1.1 100 Continue\r\n\r\n", Duration::ZERO);
        }),
        lasts("103 Early Hints for ever, ten a second", |call| {
            call.request();
            let hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n";
            call.say_for_ever(hints, Duration::from_millis(100));
        }),
        lasts("answered before the request is read, then reset", early).says_any(),
        Case::http("answered before the request is read, once")
            .first(&[early])
            .ready(Time::Soon),
        lasts("its own request for an answer", garbage),
        lasts("the greeting of another protocol", |call| {
            call.say("SSH-2.0-OpenSSH_9.6\r\n");
            call.hold();
        }),
        Case::http("garbage once, then all is well")
            .first(&[garbage])
            .ready(Time::Soon),
        lasts("429 with a Retry-After of 2^63", |call| {
            call.request();
            call.say(
                "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 9223372036854775808\r\n\
                 Content-Length: 0\r\n\r\n",
            );
        })
        .ends(Time::AtOnce),
        // As Atlassian's products do while they start.
        Case::http("503 with a Retry-After of 60, once")
            .first(&[|call| {
                call.request();
                call.say(
                    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n",
                );
            }])
            .ready(Time::Soon),
    ]
}
