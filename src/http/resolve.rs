//! How names of hosts become addresses.

use std::sync::mpsc;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{NextTimeout, time};

use crate::background;

/// The system's resolver, in a thread, because it cannot be told to end. ureq's own panics where the
/// machine starts no thread: there, the system takes the time that it takes.
#[derive(Debug, Default)]
pub(crate) struct Names(DefaultResolver);

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let unlimited = NextTimeout {
            after: time::Duration::NotHappening,
            ..timeout
        };
        let (send, receive) = mpsc::channel();
        let (own_uri, own_config) = (uri.clone(), config.clone());
        let work = move || {
            // Nobody listens any more if it took too long.
            let _ = send.send(DefaultResolver::default().resolve(&own_uri, &own_config, unlimited));
        };
        match background::start(work) {
            Ok(()) => receive
                .recv_timeout(*timeout.after)
                .unwrap_or(Err(Error::Timeout(timeout.reason))),
            Err(_) => self.0.resolve(uri, config, unlimited),
        }
    }
}
