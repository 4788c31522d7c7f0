//! A test's hold on the running server.

use std::convert::Infallible;
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use serde_json::json;
use tokio::sync::oneshot;

use crate::answer::Answer;
use crate::certificate::{Certificate, Client};
use crate::known::Known;
use crate::oauth;
use crate::received::Received;
use crate::rules::Rules;
use crate::server;
use crate::setup::Setup;
use crate::shared::Shared;
use crate::state::State;
use crate::status::Status;

/// A running server. It stops when dropped.
pub struct StandIn {
    shared: Arc<Shared>,
    url: String,
    server_url: String,
    port: u16,
    ca_pem: Option<String>,
    client: Option<Client>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    /// Starts a server with the defaults.
    pub fn start() -> Self {
        Setup::default().start()
    }

    /// `http://127.0.0.1:PORT`, or `https://localhost:PORT` with TLS.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The root of Bitbucket Cloud's API on this server.
    pub fn api_root(&self) -> String {
        format!("{}/2.0", self.url)
    }

    /// Where Data Center is on this server, context path included.
    pub fn server_url(&self) -> String {
        self.server_url.clone()
    }

    /// Where OAuth consumers get their tokens.
    pub fn oauth_url(&self) -> String {
        format!("{}{}", self.url, oauth::PATH)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Queues answers. The next requests get one each, in the order of their arrival.
    pub fn will(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.lock().queue.extend(answers);
    }

    /// Gives this answer to every request that finds the queue empty; with `None`, does as
    /// Bitbucket would again.
    pub fn always(&self, answer: Option<Answer>) {
        self.shared.lock().always = answer;
    }

    /// Every request that arrived whole, in order, whatever the answer was.
    pub fn received(&self) -> Vec<Received> {
        let received = self.shared.lock().received.clone();
        received.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// How many TCP connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }

    /// What Bitbucket shows for the commit now, in every repository, in the order of creation.
    pub fn statuses(&self, commit: &str) -> Vec<Status> {
        let inner = self.shared.lock();
        let known = inner.state.known.commit(commit);
        // Data Center's old endpoint takes commits that nobody knows.
        let commit = known.unwrap_or_else(|| commit.to_ascii_lowercase());
        let statuses = inner.state.all();
        statuses.filter(|s| s.commit == commit).cloned().collect()
    }

    /// Each accepted POST, in order.
    pub fn history(&self) -> Vec<Status> {
        self.shared.lock().state.history().to_vec()
    }

    /// Calls `f` for each status accepted from now on, on the server's thread and before the
    /// answer is sent.
    pub fn on_status(&self, f: impl Fn(&Status) + Send + 'static) {
        self.shared.listen(f);
    }

    /// How many Basic logins Data Center refused: a wrong password, or any into an account that
    /// three wrong passwords have locked.
    pub fn failed_logins(&self) -> usize {
        self.shared.lock().state.failed_logins
    }

    /// The CA to trust, when the server speaks TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// A client's certificate, when the server speaks TLS: good where one is asked for.
    pub fn client_cert_pem(&self) -> Option<&str> {
        self.client.as_ref().map(|client| client.cert_pem.as_str())
    }

    /// The key of [`Self::client_cert_pem`].
    pub fn client_key_pem(&self) -> Option<&str> {
        self.client.as_ref().map(|client| client.key_pem.as_str())
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
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the system gives an event queue");
        let listener = {
            let _guard = runtime.enter();
            server::bind(port).unwrap_or_else(|error| panic!("port {port} of 127.0.0.1: {error}"))
        };
        let port = listener.local_addr().expect("it is bound").port();
        let (ca_pem, client, acceptor, url) = match certificate {
            Some(Certificate {
                ca_pem,
                client,
                acceptor,
            }) => {
                let url = format!("https://localhost:{port}");
                (Some(ca_pem), Some(client), Some(acceptor), url)
            }
            None => (None, None, None, format!("http://127.0.0.1:{port}")),
        };
        let server_url = format!("{url}{}", rules.context_path);
        let shared = Arc::new(Shared::new(State::new(url.clone(), known, rules)));
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let accepting = server::accept(listener, acceptor, Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name("stand_in".to_owned())
            .spawn(move || {
                // Dropping the runtime afterwards ends every conversation.
                runtime.spawn(accepting);
                let Err(_) = runtime.block_on(stopped);
            })
            .expect("the system gives a thread");
        Self {
            shared,
            url,
            server_url,
            port,
            ca_pem,
            client,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Had it panicked, the requests that failed would have told.
            let _ = thread.join();
        }
        if let Some(path) = env::var_os("STAND_IN_RECORD") {
            record(&self.received(), &path);
        }
    }
}

/// Appends requests to a file, a line of JSON for each, for a validator of OpenAPI to read.
fn record(requests: &[Received], path: &OsStr) {
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
    // In one write, because tests run side by side.
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(lines.as_bytes()))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StandIn").field(&self.url).finish()
    }
}
