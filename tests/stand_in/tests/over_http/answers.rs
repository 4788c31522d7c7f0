//! What the server does when it is told to.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use stand_in::{Answer, DEFAULT_COMMIT, StandIn};

use crate::{agent, code, post};

const SHORT: Duration = Duration::from_millis(100);

#[test]
fn answers_are_given_in_turn_and_then_bitbuckets_own() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::status(503), Answer::rate_limited()]);
    let codes = [(); 4].map(|()| code(&post(&agent(), &bitbucket, "ci")));
    assert_eq!(codes, [503, 429, 201, 200]);
    assert_eq!(bitbucket.history().len(), 2);
}

#[test]
fn an_answer_for_always_comes_after_the_queue_until_it_is_taken_back() {
    let bitbucket = StandIn::start();
    bitbucket.always(Some(Answer::status(500)));
    bitbucket.will([Answer::status(502)]);
    let codes = [(); 3].map(|()| code(&post(&agent(), &bitbucket, "ci")));
    assert_eq!(codes, [502, 500, 500]);
    bitbucket.always(None);
    assert_eq!(code(&post(&agent(), &bitbucket, "ci")), 201);
}

#[test]
fn a_reply_is_said_as_it_was_written() {
    let bitbucket = StandIn::start();
    for (answer, status, content_type, body) in [
        (Answer::status(204), 204, None, ""),
        (Answer::json(200, "{}"), 200, Some("application/json"), "{}"),
        (
            Answer::html(200, "<p>"),
            200,
            Some("text/html; charset=utf-8"),
            "<p>",
        ),
        (Answer::text(418, "tea"), 418, Some("text/plain"), "tea"),
        (
            Answer::rate_limited(),
            429,
            Some("text/plain"),
            "Rate limit for this resource has been exceeded",
        ),
    ] {
        bitbucket.will([answer.with_header("Retry-After", "7")]);
        let mut response = post(&agent(), &bitbucket, "ci").unwrap();
        let header = |name| response.headers().get(name).map(|v| v.to_str().unwrap());
        assert_eq!(response.status(), status);
        assert_eq!(header("content-type"), content_type);
        assert_eq!(header("retry-after"), Some("7"));
        assert!(header("x-request-id").is_some());
        assert_eq!(response.body_mut().read_to_string().unwrap(), body);
    }
    assert_eq!(bitbucket.history(), []);
}

#[test]
fn a_redirect_says_where_to() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::redirect(302, "https://sso.example.com/")]);
    let response = post(&agent(), &bitbucket, "ci").unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], "https://sso.example.com/");
}

#[test]
fn what_is_not_http_is_told() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::status(200).with_header("not a name", "")]);
    let mut response = post(&agent(), &bitbucket, "ci").unwrap();
    assert_eq!(response.status(), 500);
    let text = response.body_mut().read_to_string().unwrap();
    assert!(text.contains("invalid HTTP header name"), "{text}");
}

#[test]
#[should_panic(expected = "Silence has no headers of its own")]
fn silence_has_no_headers() {
    let _ = Answer::Silence.with_header("a", "b");
}

#[test]
fn a_late_answer_is_bitbuckets_own() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::Late(SHORT)]);
    let start = Instant::now();
    assert_eq!(code(&post(&agent(), &bitbucket, "ci")), 201);
    assert!(start.elapsed() >= SHORT);
}

#[test]
fn a_late_reply_is_the_one_that_was_written() {
    let bitbucket = StandIn::start();
    let reply = Answer::LateReply(SHORT, Box::new(Answer::status(502)));
    bitbucket.will([reply.with_header("x-request-id", "mine")]);
    let start = Instant::now();
    let response = post(&agent(), &bitbucket, "ci").unwrap();
    assert!(start.elapsed() >= SHORT);
    assert_eq!(response.status(), 502);
    assert_eq!(response.headers()["x-request-id"], "mine");
}

#[test]
fn silence_lasts_as_long_as_the_client_waits() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::Silence]);
    let impatient = agent().post(crate::build_url(&bitbucket)).config();
    let answered = impatient.timeout_global(Some(SHORT)).build().send_empty();
    assert!(
        matches!(answered, Err(ureq::Error::Timeout(_))),
        "{answered:?}"
    );
    assert_eq!(bitbucket.received().len(), 1);
    assert_eq!(code(&post(&agent(), &bitbucket, "ci")), 201);
}

#[test]
fn a_silent_server_stops_all_the_same() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::Silence]);
    let mut stream = TcpStream::connect(("127.0.0.1", bitbucket.port())).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    while bitbucket.received().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(bitbucket);
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
}

#[test]
fn a_reset_sends_no_byte_and_stores_nothing() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::Reset]);
    let mut stream = TcpStream::connect(("127.0.0.1", bitbucket.port())).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"");

    bitbucket.will([Answer::Reset]);
    assert!(post(&agent(), &bitbucket, "ci").is_err());
    assert_eq!(bitbucket.received().len(), 2);
    assert_eq!(bitbucket.history(), []);
}

#[test]
fn a_lost_reply_is_a_status_stored_and_no_answer() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::LostReply]);
    assert!(post(&agent(), &bitbucket, "ci").is_err());
    assert_eq!(bitbucket.statuses(DEFAULT_COMMIT).len(), 1);
    assert_eq!(code(&post(&agent(), &bitbucket, "ci")), 200);
}

#[test]
fn an_answer_can_be_cut_off_in_the_middle_of_its_body() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::CutOff]);
    let mut stream = TcpStream::connect(("127.0.0.1", bitbucket.port())).unwrap();
    stream
        .write_all(b"GET /none HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    // Where the system says that the connection was reset, the text is there all the same.
    let _ = stream.read_to_string(&mut text);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let whole = r#"{"type":"error","error":{"message":"Resource not found"}}"#;
    assert!(head.contains(&format!("content-length: {}", whole.len())));
    assert_eq!(body, &whole[..whole.len() / 2]);
}
