//! What the server thread and the test share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::answer::Answer;
use crate::bitbucket;
use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;
use crate::status::Status;

/// What the server thread and the test both see.
pub(crate) struct Shared {
    inner: Mutex<Inner>,
    listeners: Mutex<Vec<Listener>>,
    connections: AtomicUsize,
}

type Listener = Box<dyn Fn(&Status) + Send>;

/// What one request or question needs at once.
pub(crate) struct Inner {
    pub(crate) state: State,
    pub(crate) queue: VecDeque<Answer>,
    pub(crate) always: Option<Answer>,
    pub(crate) received: Vec<Arc<Received>>,
}

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self {
            inner: Mutex::new(Inner {
                state,
                queue: VecDeque::new(),
                always: None,
                received: Vec::new(),
            }),
            listeners: Mutex::new(Vec::new()),
            connections: AtomicUsize::new(0),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Counts a connection.
    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn listen(&self, listener: impl Fn(&Status) + Send + 'static) {
        lock(&self.listeners).push(Box::new(listener));
    }

    /// Notes a request; gives its number, from 1, and the answer that a test wants for it.
    pub(crate) fn note(&self, received: Arc<Received>) -> (usize, Option<Answer>) {
        let mut inner = self.lock();
        inner.received.push(received);
        let answer = inner.queue.pop_front().or_else(|| inner.always.clone());
        (inner.received.len(), answer)
    }

    /// Does as Bitbucket would, and tells the listeners.
    pub(crate) fn as_bitbucket(&self, received: &Received) -> Reply {
        let mut inner = self.lock();
        let before = inner.state.history().len();
        inner.state.now = Instant::now();
        let reply = bitbucket::answer(&mut inner.state, received);
        let accepted = inner.state.history().get(before).cloned();
        drop(inner); // a listener may ask for what is stored
        if let Some(status) = accepted {
            lock(&self.listeners).iter().for_each(|f| f(&status));
        }
        reply
    }
}

/// Locks, also after a panic: the one test that panicked has been told.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
