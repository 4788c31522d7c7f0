//! What stands between the binary and Bitbucket, and misbehaves: a TCP server that does with each
//! connection what a test says, on bytes.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

/// What to do with a connection.
pub(crate) type Act = fn(&mut Call);

/// A running server. Its threads end with the process.
pub(crate) struct Front {
    pub(crate) port: u16,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    /// Requests that were read here and not passed on to Bitbucket, which counts its own.
    requests: AtomicUsize,
}

impl Front {
    /// Listens on `ip`. The first connections are treated as `first` says, all others as `then`.
    /// `bitbucket` is the port of
    /// the real one.
    pub(crate) fn start(
        ip: IpAddr,
        port: u16,
        first: &'static [Act],
        then: Act,
        bitbucket: u16,
    ) -> Self {
        let listener =
            TcpListener::bind((ip, port)).unwrap_or_else(|error| panic!("{ip}: {error}"));
        let port = listener.local_addr().unwrap().port();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let act = *first.get(number).unwrap_or(&then);
                let mut call = Call {
                    stream: stream.unwrap(),
                    counts: Arc::clone(&shared),
                    bitbucket,
                };
                thread::spawn(move || act(&mut call));
            }
        });
        Self { port, counts }
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }
}

/// One connection. It is closed when the act on it ends.
pub(crate) struct Call {
    stream: TcpStream,
    counts: Arc<Counts>,
    bitbucket: u16,
}

impl Call {
    /// Reads a whole request, to the last byte of its body.
    pub(crate) fn request(&mut self) -> Vec<u8> {
        let request = message(&mut self.stream);
        if !request.is_empty() {
            self.counts.requests.fetch_add(1, Ordering::SeqCst);
        }
        request
    }

    /// Reads a whole request, passes it on, and returns Bitbucket's answer.
    pub(crate) fn answer(&mut self) -> Vec<u8> {
        let request = message(&mut self.stream);
        if request.is_empty() {
            return Vec::new();
        }
        // It is gone when the test has ended.
        let Ok(mut bitbucket) = TcpStream::connect(("127.0.0.1", self.bitbucket)) else {
            return Vec::new();
        };
        let _ = bitbucket.write_all(&request);
        message(&mut bitbucket)
    }

    /// Says this. Whoever is gone does not hear it.
    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Says this again and again, until nobody listens; after a while the test has failed anyway.
    pub(crate) fn say_for_ever(&mut self, bytes: &str, pause: Duration) {
        let started = Instant::now();
        while self.say(bytes) && started.elapsed() < Duration::from_secs(15) {
            thread::sleep(pause);
        }
    }

    /// Says this byte by byte, with a pause after each.
    pub(crate) fn say_slowly(&mut self, bytes: impl AsRef<[u8]>, pause: Duration) {
        for byte in bytes.as_ref() {
            if !self.say([*byte]) {
                return;
            }
            thread::sleep(pause);
        }
    }

    /// Reads what comes and says nothing, until the other side leaves.
    pub(crate) fn hold(&mut self) {
        while matches!(self.stream.read(&mut [0; 1024]), Ok(1..)) {}
    }

    /// Reads the first bytes that come.
    pub(crate) fn begin(&mut self) {
        let _ = self.stream.read(&mut [0; 1024]);
    }

    /// Waits for the first byte, and leaves it unread: closed like this, Linux sends a reset.
    pub(crate) fn leave_unread(&mut self) {
        let _ = self.stream.peek(&mut [0]);
    }

    /// Lets the end of this call be a reset.
    pub(crate) fn reset(&mut self) {
        set_socket_linger(&self.stream, Some(Duration::ZERO)).unwrap();
    }

    /// Passes on everything in both directions, answers byte by byte if there is a pause after each.
    pub(crate) fn tunnel(&mut self, pause: Duration) {
        let Ok(bitbucket) = TcpStream::connect(("127.0.0.1", self.bitbucket)) else {
            return;
        };
        let (mut from, mut to) = (
            self.stream.try_clone().unwrap(),
            bitbucket.try_clone().unwrap(),
        );
        let upwards = thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
        let mut buffer = vec![0; if pause.is_zero() { 4096 } else { 1 }];
        let mut bitbucket = bitbucket;
        while let Ok(count @ 1..) = bitbucket.read(&mut buffer) {
            if !self.say(&buffer[..count]) {
                break;
            }
            thread::sleep(pause);
        }
        let _ = self.stream.shutdown(Shutdown::Both);
        let _ = upwards.join();
    }
}

/// What Bitbucket does.
pub(crate) fn pass(call: &mut Call) {
    loop {
        let answer = call.answer();
        if answer.is_empty() || !call.say(answer) {
            return;
        }
    }
}

/// The same below TLS.
pub(crate) fn tunnel(call: &mut Call) {
    call.tunnel(Duration::ZERO);
}

/// An HTTP message with its body; what there is of it, if it ends early.
fn message(stream: &mut TcpStream) -> Vec<u8> {
    let mut message = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&message) {
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => message.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    message
}

fn is_whole(message: &[u8]) -> bool {
    let text = String::from_utf8_lossy(message);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().unwrap())
        })
        .unwrap_or(0);
    body.len() >= length
}
