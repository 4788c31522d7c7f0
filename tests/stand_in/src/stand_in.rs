//! A test's hold on the running server.

use std::sync::Arc;
use std::{env, fmt, thread};

use serde_json::json;

use crate::answer::Answer;
use crate::certificate::Certificate;
use crate::known::Known;
use crate::oauth;
use crate::received::Received;
use crate::rules::Rules;
use crate::running::Running;
use crate::setup::Setup;
use crate::shared::Shared;
use crate::state::State;
use crate::status::Status;
use crate::traffic::record;

/// A running server. It stops when dropped.
pub struct StandIn {
    shared: Arc<Shared>,
    running: Running,
    server_url: String,
}

impl StandIn {
    /// Starts a server with the defaults.
    pub fn start() -> Self {
        Setup::default().start()
    }

    /// `http://127.0.0.1:PORT`, or `https://localhost:PORT` with TLS.
    pub fn url(&self) -> String {
        self.running.url.clone()
    }

    /// The root of Bitbucket Cloud's API on this server.
    pub fn api_root(&self) -> String {
        format!("{}/2.0", self.running.url)
    }

    /// Where Data Center is on this server, context path included.
    pub fn server_url(&self) -> String {
        self.server_url.clone()
    }

    /// Where OAuth consumers get their tokens.
    pub fn oauth_url(&self) -> String {
        format!("{}{}", self.running.url, oauth::PATH)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.running.port
    }

    /// Queues answers. The next requests get one each, in the order of their arrival.
    pub fn will(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.traffic.will(answers);
    }

    /// Gives this answer to every request that finds the queue empty; with `None`, does as
    /// Bitbucket would again.
    pub fn always(&self, answer: Option<Answer>) {
        self.shared.traffic.always(answer);
    }

    /// Every request that arrived whole, in order, whatever the answer was.
    pub fn received(&self) -> Vec<Received> {
        self.shared.traffic.received()
    }

    /// How many TCP connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.traffic.connections()
    }

    /// What Bitbucket shows for the commit now, in every repository, in the order of creation.
    pub fn statuses(&self, commit: &str) -> Vec<Status> {
        let state = self.shared.lock();
        let known = state.known.commit(commit);
        // Data Center's old endpoint takes commits that nobody knows.
        let commit = known.unwrap_or_else(|| commit.to_ascii_lowercase());
        let statuses = state.all();
        statuses.filter(|s| s.commit == commit).cloned().collect()
    }

    /// Each accepted POST, in order.
    pub fn history(&self) -> Vec<Status> {
        self.shared.lock().history().to_vec()
    }

    /// Calls `f` for each status accepted from now on, on the server's thread and before the
    /// answer is sent.
    pub fn on_status(&self, f: impl Fn(&Status) + Send + 'static) {
        self.shared.listen(f);
    }

    /// How many Basic logins Data Center refused: a wrong password, or any into an account that
    /// three wrong passwords have locked.
    pub fn failed_logins(&self) -> usize {
        self.shared.lock().failed_logins
    }

    /// The CA to trust, when the server speaks TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.running.ca_pem.as_deref()
    }

    /// A client's certificate, when the server speaks TLS: good where one is asked for.
    pub fn client_cert_pem(&self) -> Option<&str> {
        self.running
            .client
            .as_ref()
            .map(|client| client.cert_pem.as_str())
    }

    /// The key of [`Self::client_cert_pem`].
    pub fn client_key_pem(&self) -> Option<&str> {
        self.running
            .client
            .as_ref()
            .map(|client| client.key_pem.as_str())
    }

    /// Serves for ever.
    pub fn wait(&self) -> ! {
        loop {
            thread::park();
        }
    }

    pub(crate) fn run(
        port: u16,
        certificate: Option<Certificate>,
        known: Known,
        rules: Rules,
    ) -> Self {
        let context_path = rules.context_path.clone();
        let (running, shared) = Running::start(port, certificate, |url| {
            Shared::new(State::new(url.to_owned(), known, rules))
        });
        Self {
            server_url: format!("{}{context_path}", running.url),
            shared,
            running,
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.running.stop();
        if let Some(path) = env::var_os("STAND_IN_RECORD") {
            record(&lines(&self.received()), &path);
        }
    }
}

/// Requests as lines of JSON.
fn lines(requests: &[Received]) -> String {
    let mut lines = String::new();
    for Received {
        method,
        path,
        headers,
        body,
    } in requests
    {
        let request = json!({"method": method, "path": path, "headers": headers, "body": body});
        lines += &format!("{request}\n");
    }
    lines
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StandIn").field(&self.running.url).finish()
    }
}
