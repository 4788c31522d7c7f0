//! How connections are opened: which of a host's addresses is called, and until when.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout,
    RustlsConnector, TcpConnector, Transport, time,
};

/// How long an address has, of several, before the next one is called. It gets more when all had
/// their turn.
const PATIENCE: Duration = Duration::from_millis(500);

/// What ureq does by itself, with [`Dialer`] in the place where it opens sockets. It begins with the
/// address whose `turn` it is.
pub(crate) fn connector(turn: usize, until: Instant) -> impl Connector {
    ().chain(ConnectProxyConnector::default())
        .chain(Dialer {
            tcp: TcpConnector::default(),
            turn,
            until,
        })
        .chain(RustlsConnector::default())
}

/// Opens sockets.
#[derive(Debug)]
struct Dialer {
    tcp: TcpConnector,
    turn: usize,
    until: Instant,
}

type Socket = <TcpConnector as Connector>::Out;

impl<In: Transport> Connector<In> for Dialer {
    type Out = Either<In, Bounded<Socket>>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(tunnel) = chained {
            return Ok(Some(Either::A(tunnel)));
        }
        let socket = self.dial(details)?;
        Ok(socket.map(|socket| {
            Either::B(Bounded {
                socket,
                until: self.until,
            })
        }))
    }
}

impl Dialer {
    /// Calls the addresses in their order, again and again, with more patience each time. An address
    /// that cannot be called is not called again.
    ///
    /// ureq calls each of them once: the first for half of the time, the next for half of what is
    /// left. What is left when several are dead is too short for a handshake, and the next attempt
    /// begins with the same. It also gives up at the first that the system refuses to call, such as
    /// one with a `prohibit` route.
    fn dial(&self, details: &ConnectionDetails<'_>) -> Result<Option<Socket>, Error> {
        let now = Instant::now();
        let time = self
            .until
            .saturating_duration_since(now)
            .min(*details.timeout.after);
        let left = || (now + time).saturating_duration_since(Instant::now());
        let mut addresses = details.addrs.to_vec();
        let turn = self.turn.checked_rem(addresses.len());
        addresses.rotate_left(turn.unwrap_or(0));
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut patience = PATIENCE.min(time / 2 / count);
        let mut failed = Error::HostNotFound;
        while !addresses.is_empty() {
            let is_alone = addresses.len() == 1;
            let mut silent = Vec::new();
            for address in addresses {
                let left = left();
                if left.is_zero() {
                    return Err(Error::Timeout(details.timeout.reason));
                }
                let time = if is_alone { left } else { patience.min(left) };
                match self.call(address, time, details) {
                    Err(Error::Timeout(_)) => silent.push(address),
                    Err(error) => failed = error,
                    socket => return socket,
                }
            }
            addresses = silent;
            patience *= 2;
        }
        Err(failed)
    }

    fn call(
        &self,
        address: SocketAddr,
        time: Duration,
        details: &ConnectionDetails<'_>,
    ) -> Result<Option<Socket>, Error> {
        let mut addrs = details.resolver.empty();
        addrs.push(address);
        let details = ConnectionDetails {
            uri: details.uri,
            addrs,
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: time::Instant::now(),
            timeout: NextTimeout {
                after: time.into(),
                ..details.timeout
            },
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        self.tcp.connect(&details, None)
    }
}

/// A socket that is of no use after a time. ureq gives each read of a proxy's answer the whole time
/// for connecting: one that sends a byte now and then would be read for ever.
#[derive(Debug)]
struct Bounded<T> {
    socket: T,
    until: Instant,
}

impl<T> Bounded<T> {
    fn bound(&self, mut timeout: NextTimeout) -> NextTimeout {
        let left = self.until.saturating_duration_since(Instant::now());
        if *timeout.after > left {
            timeout.after = left.into();
        }
        timeout
    }
}

impl<T: Transport> Transport for Bounded<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.socket.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = self.bound(timeout);
        self.socket.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.bound(timeout);
        self.socket.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.socket.is_open()
    }
}
