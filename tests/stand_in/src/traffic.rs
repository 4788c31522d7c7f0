//! What arrives at a server, and the answers that a test wants for it.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::answer::Answer;
use crate::received::Received;
use crate::reply::Reply;

/// What a server is, beyond sockets and HTTP.
pub(crate) trait Service: Send + Sync + 'static {
    fn traffic(&self) -> &Traffic;

    /// What it says to a request that is not for the API: it takes no answer of a test's, and is not
    /// remembered.
    fn aside(&self, _: &Received) -> Option<Reply> {
        None
    }

    /// What it says of itself to the request of this number.
    fn answer(&self, number: usize, received: &Received) -> Reply;
}

/// Requests, connections and the test's answers.
#[derive(Default)]
pub(crate) struct Traffic {
    told: Mutex<Told>,
    received: Mutex<Vec<Arc<Received>>>,
    connections: AtomicUsize,
}

#[derive(Default)]
struct Told {
    queue: VecDeque<Answer>,
    always: Option<Answer>,
}

impl Traffic {
    /// Queues answers.
    pub(crate) fn will(&self, answers: impl IntoIterator<Item = Answer>) {
        lock(&self.told).queue.extend(answers);
    }

    /// Sets the answer to those requests that find the queue empty.
    pub(crate) fn always(&self, answer: Option<Answer>) {
        lock(&self.told).always = answer;
    }

    /// Notes a request; gives its number, from 1, and the answer that a test wants for it.
    pub(crate) fn note(&self, request: Arc<Received>) -> (usize, Option<Answer>) {
        let mut received = lock(&self.received);
        received.push(request);
        let mut told = lock(&self.told);
        let answer = told.queue.pop_front().or_else(|| told.always.clone());
        (received.len(), answer)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        let received = lock(&self.received).clone();
        received.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// Counts a connection.
    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Locks, also after a panic: the one test that panicked has been told.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Appends lines to a file, for a validator of OpenAPI to read.
pub(crate) fn record(lines: &str, path: &OsStr) {
    // In one write, because tests run side by side.
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(lines.as_bytes()))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
