//! The event, from a file or from stdin.

use std::fs::File;
use std::io::{self, Read};
use std::sync::mpsc;

use crate::background;
use crate::deadline::Deadline;
use crate::error::Error;

/// EventBridge takes 1 MB.
const LONGEST: u64 = 2 * 1024 * 1024;

/// Reads all of it, within the deadline: a pipe may have nobody at its other end.
pub(super) fn read(file: Option<&str>, deadline: Deadline) -> Result<String, Error> {
    let (sender, receiver) = mpsc::channel();
    let path = file.map(str::to_owned);
    let work = move || {
        // Nobody listens any more when the time is over.
        let _ = sender.send(match path {
            None => text(io::stdin()),
            Some(path) => File::open(path).and_then(text),
        });
    };
    let read = background::start(work).and_then(|()| {
        let read = receiver.recv_timeout(deadline.left());
        read.unwrap_or_else(|_| Err(io::Error::other("it does not end in time")))
    });
    read.map_err(|error| Error::unreadable("event", file.or(Some("stdin")), &error))
}

fn text(from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("it is longer than any event"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
