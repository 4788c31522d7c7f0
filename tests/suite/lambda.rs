//! Lambda, as far as a function sees it: the Runtime API over HTTP, and the process that asks it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::Reporter;

/// What a function answers to an event.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) id: String,
    /// Whether the event is to be tried again.
    pub(crate) is_error: bool,
    pub(crate) body: Value,
}

/// A function whose process waits for events. It ends when dropped.
pub(crate) struct Function {
    shared: Arc<Shared>,
    process: Child,
    stderr: Option<JoinHandle<String>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(String, Duration, String)>,
    sent: usize,
    current: Option<String>,
    answers: Vec<Answer>,
    connections: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Function {
    pub(crate) fn start(reporter: Reporter) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                served.lock().connections += 1;
                let shared = Arc::clone(&served);
                thread::spawn(move || converse(&stream, &shared));
            }
        });
        let mut reporter = reporter.env("AWS_LAMBDA_RUNTIME_API", api);
        let command = reporter.command();
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = process.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).unwrap();
            text
        });
        Self {
            shared,
            process,
            stderr: Some(stderr),
        }
    }

    /// Queues an event that has a minute, as the template gives it.
    pub(crate) fn send(&self, event: &Value) -> String {
        self.send_within(Duration::from_mins(1), event)
    }

    pub(crate) fn send_within(&self, time: Duration, event: &Value) -> String {
        let mut state = self.shared.lock();
        state.sent += 1;
        let id = id(state.sent);
        let event = (id.clone(), time, event.to_string());
        state.waiting.push_back(event);
        self.shared.changed.notify_all();
        id
    }

    /// Sends an event, and waits for the answer.
    pub(crate) fn invoke(&self, event: &Value) -> Answer {
        let id = self.send(event);
        self.wait(&id)
    }

    pub(crate) fn wait(&self, id: &str) -> Answer {
        let is_there = |state: &State| state.answers.iter().any(|it| it.id == id);
        let long = Duration::from_mins(2);
        let (state, timeout) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), long, |state| !is_there(state))
            .unwrap();
        assert!(!timeout.timed_out(), "no answer to {id}");
        let found = state.answers.iter().find(|it| it.id == id);
        found.unwrap().clone()
    }

    /// Waits until every event is answered.
    #[cfg(unix)]
    pub(crate) fn finish(&self) -> Vec<Answer> {
        let sent = self.shared.lock().sent;
        self.wait(&id(sent));
        self.shared.lock().answers.clone()
    }

    /// How many connections the function has opened to the Runtime API.
    #[cfg(unix)]
    pub(crate) fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// The most memory that the process has had, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory(&self) -> usize {
        let status = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let word = line.unwrap().split_whitespace().nth(1);
        word.unwrap().parse().unwrap()
    }

    /// Ends the process, as Lambda does, and gives what it has logged.
    pub(crate) fn end(mut self) -> String {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.stderr.take().unwrap().join().unwrap()
    }

    /// Waits for a process that ends by itself: its code, what it has logged.
    pub(crate) fn ended(mut self) -> (Option<i32>, String, Vec<Answer>) {
        let code = self.process.wait().unwrap().code();
        let answers = self.shared.lock().answers.clone();
        (code, self.stderr.take().unwrap().join().unwrap(), answers)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn id(number: usize) -> String {
    format!("8476a536-e9f4-11e8-9739-{number:012}")
}

fn converse(stream: &TcpStream, shared: &Shared) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    while let Some((method, path, body)) = request(&mut reader) {
        let (status, headers, body) = respond(shared, &method, &path, &body);
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n");
        let mut stream = stream;
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn request(reader: &mut BufReader<&TcpStream>) -> Option<(String, String, String)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, String::from_utf8(body).unwrap()))
}

type Response = (u16, String, String);

fn respond(shared: &Shared, method: &str, path: &str, body: &str) -> Response {
    let refuse = |status: u16, kind: &str| {
        let body = serde_json::json!({"errorType": kind, "errorMessage": path});
        (status, String::new(), body.to_string())
    };
    let Some(call) = path.strip_prefix("/2018-06-01/runtime/") else {
        return refuse(404, "NotFound");
    };
    let (id, is_error) = match call.split('/').collect::<Vec<_>>()[..] {
        ["invocation", "next"] if method == "GET" => return next(shared),
        ["invocation", id, "response"] if method == "POST" => (id, false),
        ["invocation", id, "error"] if method == "POST" => (id, true),
        ["init", "error"] if method == "POST" => ("init", true),
        _ => return refuse(404, "NotFound"),
    };
    let mut state = shared.lock();
    let is_turn = id == "init" && state.sent == 0 || state.current.as_deref() == Some(id);
    if !is_turn {
        return refuse(403, "InvalidStateTransition");
    }
    state.current = None;
    let Ok(body) = serde_json::from_str(body) else {
        return refuse(400, "InvalidRequest");
    };
    state.answers.push(Answer {
        id: id.to_owned(),
        is_error,
        body,
    });
    shared.changed.notify_all();
    (202, String::new(), r#"{"status":"OK"}"#.to_owned())
}

/// Waits for an event, however long that takes.
fn next(shared: &Shared) -> Response {
    let is_idle = |state: &mut State| state.waiting.is_empty();
    let mut state = shared.changed.wait_while(shared.lock(), is_idle).unwrap();
    let (id, time, event) = state.waiting.pop_front().unwrap();
    state.current = Some(id.clone());
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + time;
    let headers = format!(
        "Content-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: {id}\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-west-2:123456789012:function:f\r\n\
         Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1\r\n",
        deadline.as_millis()
    );
    (200, headers, event)
}
