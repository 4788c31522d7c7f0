//! How connections are opened: until when they may be used.

use std::time::Instant;

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout,
    RustlsConnector, TcpConnector, Transport,
};

/// What ureq does by itself, with [`Dialer`] in the place where it opens sockets.
pub(crate) fn connector(until: Instant) -> impl Connector {
    ().chain(ConnectProxyConnector::default())
        .chain(Dialer {
            tcp: TcpConnector::default(),
            until,
        })
        .chain(RustlsConnector::default())
}

/// Opens sockets.
#[derive(Debug)]
struct Dialer {
    tcp: TcpConnector,
    until: Instant,
}

impl<In: Transport> Connector<In> for Dialer {
    type Out = Either<In, Bounded<<TcpConnector as Connector>::Out>>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(tunnel) = chained {
            return Ok(Some(Either::A(tunnel)));
        }
        let socket = self.tcp.connect(details, None)?;
        Ok(socket.map(|socket| {
            Either::B(Bounded {
                socket,
                until: self.until,
            })
        }))
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
