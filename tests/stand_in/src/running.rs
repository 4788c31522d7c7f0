//! A server's thread, and where it listens.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use crate::certificate::{Certificate, Client};
use crate::server;
use crate::traffic::Service;

/// Serves until it is stopped or dropped.
pub(crate) struct Running {
    /// `http://127.0.0.1:PORT`, or `https://localhost:PORT` with TLS.
    pub(crate) url: String,
    pub(crate) port: u16,
    pub(crate) ca_pem: Option<String>,
    pub(crate) client: Option<Client>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Listens, and serves what `service` makes of the server's URL.
    pub(crate) fn start<S: Service>(
        port: u16,
        certificate: Option<Certificate>,
        service: impl FnOnce(&str) -> S,
    ) -> (Self, Arc<S>) {
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
        let service = Arc::new(service(&url));
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let accepting = server::accept(listener, acceptor, Arc::clone(&service));
        let thread = thread::Builder::new()
            .name("stand_in".to_owned())
            .spawn(move || {
                // Dropping the runtime afterwards ends every conversation.
                runtime.spawn(accepting);
                let Err(_) = runtime.block_on(stopped);
            })
            .expect("the system gives a thread");
        let running = Self {
            url,
            port,
            ca_pem,
            client,
            stop: Some(stop),
            thread: Some(thread),
        };
        (running, service)
    }

    /// Ends every conversation.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Had it panicked, the requests that failed would have told.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
