//! What the server thread and the test share.

use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use crate::bitbucket;
use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;
use crate::status::Status;
use crate::traffic::{Service, Traffic, lock};
use crate::web_page;

/// What the server thread and the test both see.
pub(crate) struct Shared {
    pub(crate) traffic: Traffic,
    state: Mutex<State>,
    listeners: Mutex<Vec<Listener>>,
}

type Listener = Box<dyn Fn(&Status) + Send>;

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self {
            traffic: Traffic::default(),
            state: Mutex::new(state),
            listeners: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn listen(&self, listener: impl Fn(&Status) + Send + 'static) {
        lock(&self.listeners).push(Box::new(listener));
    }
}

impl Service for Shared {
    fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn aside(&self, received: &Received) -> Option<Reply> {
        let state = self.lock();
        let is_meant = state.rules.web_page && web_page::is_meant(received);
        is_meant.then(|| web_page::page(&state))
    }

    /// Does as Bitbucket would, and tells the listeners.
    fn answer(&self, _: usize, received: &Received) -> Reply {
        let mut state = self.lock();
        let before = state.history().len();
        state.now = Instant::now();
        let reply = bitbucket::answer(&mut state, received);
        let accepted = state.history().get(before).cloned();
        drop(state); // a listener may ask for what is stored
        if let Some(status) = accepted {
            lock(&self.listeners).iter().for_each(|f| f(&status));
        }
        reply
    }
}
