//! How connections are opened: which of a host's addresses is called, and until when.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout,
    RustlsConnector, TcpConnector, Transport, time,
};
use ureq::{Error, Timeout};

/// How long an address has, of several, before the next one is called. It gets more when all had
/// their turn.
const PATIENCE: Duration = Duration::from_millis(500);

/// It has no less, however many they are.
const LEAST: Duration = Duration::from_millis(100);

/// Until when sockets are of use. A connection outlives the request that it was opened for, so that
/// each request moves this on.
#[derive(Clone, Debug)]
pub(crate) struct Until(Arc<Mutex<Instant>>);

impl Until {
    pub(crate) fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    pub(crate) fn set(&self, until: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn left(&self) -> Duration {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.saturating_duration_since(Instant::now())
    }
}

/// What ureq does by itself, with [`Dialer`] in the place where it opens sockets. It begins with the
/// address whose `turn` it is.
pub(crate) fn connector(turn: usize, until: Until, below_tls: Config) -> impl Connector {
    ().chain(ConnectProxyConnector::default())
        .chain(Dialer {
            tcp: TcpConnector::default(),
            turn,
            until,
            below_tls,
        })
        .chain(RustlsConnector::default())
}

/// Opens sockets.
#[derive(Debug)]
struct Dialer {
    tcp: TcpConnector,
    turn: usize,
    until: Until,
    /// Has small buffers: TLS has others of its own, and ureq zeroes them all.
    below_tls: Config,
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
                until: self.until.clone(),
            })
        }))
    }
}

/// Calls the addresses in their order, again and again, with more patience each time, and not again
/// those that cannot be called. All together may take `time`.
///
/// ureq calls each of them once: the first for half of the time, the next for half of what is left.
/// What is left when several are dead is too short for a handshake, and the next attempt begins with
/// the same. It also gives up at the first that the system refuses to call, such as one with a
/// `prohibit` route.
fn first_to_answer<T>(
    mut addresses: Vec<SocketAddr>,
    time: Duration,
    call: impl Fn(SocketAddr, Duration) -> Result<T, Error>,
) -> Result<T, Error> {
    let until = Instant::now() + time;
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut patience = (time / 2 / count).clamp(LEAST, PATIENCE);
    let mut failed = Error::HostNotFound;
    while !addresses.is_empty() {
        let is_alone = addresses.len() == 1;
        let mut silent = Vec::new();
        for address in addresses {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Timeout(Timeout::Connect));
            }
            match call(address, if is_alone { left } else { patience.min(left) }) {
                Err(Error::Timeout(_)) => silent.push(address),
                Err(error) => failed = error,
                answered => return answered,
            }
        }
        addresses = silent;
        patience *= 2;
    }
    Err(failed)
}

impl Dialer {
    fn dial(&self, details: &ConnectionDetails<'_>) -> Result<Option<Socket>, Error> {
        let mut addresses = details.addrs.to_vec();
        let turn = self.turn.checked_rem(addresses.len());
        addresses.rotate_left(turn.unwrap_or(0));
        let time = self.until.left().min(*details.timeout.after);
        first_to_answer(addresses, time, |address, time| {
            self.call(address, time, details)
        })
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
            config: if details.needs_tls() {
                &self.below_tls
            } else {
                details.config
            },
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
    until: Until,
}

impl<T> Bounded<T> {
    fn bound(&self, mut timeout: NextTimeout) -> NextTimeout {
        let left = self.until.left();
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::ErrorKind;
    use std::thread::sleep;

    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Calls addresses that take so long to answer, or refuse. Returns the one that did, and how
    /// often each was called.
    fn call(answers: &[Option<Duration>], time: Duration) -> (Result<usize, Error>, Vec<usize>) {
        let ports = 0..u16::try_from(answers.len()).unwrap();
        let addresses = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let calls = RefCell::new(vec![0; answers.len()]);
        let result = first_to_answer(addresses.collect(), time, |address, time| {
            let number = usize::from(address.port());
            calls.borrow_mut()[number] += 1;
            let response = answers[number].ok_or(Error::Io(ErrorKind::InvalidInput.into()))?;
            sleep(response.min(time));
            if response > time {
                return Err(Error::Timeout(Timeout::Connect));
            }
            Ok(number)
        });
        (result, calls.into_inner())
    }

    const NEVER: Option<Duration> = Some(Duration::from_hours(1));

    #[test]
    fn dead_addresses_cost_little_of_the_time() {
        let started = Instant::now();
        let (answered, calls) = call(&[NEVER, NEVER, Some(ms(0))], ms(600));
        assert!(matches!(answered, Ok(2)) && calls == [1, 1, 1], "{calls:?}");
        assert!(started.elapsed() < ms(550));
    }

    #[test]
    fn addresses_that_are_far_away_are_reached_with_more_patience() {
        // A turn is 200 ms, then 400.
        let (answered, calls) = call(&[Some(ms(210)), Some(ms(210))], ms(800));
        assert!(matches!(answered, Ok(0)) && calls == [2, 1], "{calls:?}");
    }

    #[test]
    fn an_address_that_cannot_be_called_is_called_once_and_the_last_one_has_all_the_time() {
        let (answered, calls) = call(&[None, Some(ms(300))], ms(800));
        assert!(matches!(answered, Ok(1)) && calls == [1, 2], "{calls:?}");
        let (answered, calls) = call(&[None, None], ms(500));
        assert!(matches!(answered, Err(Error::Io(_))) && calls == [1, 1]);
    }

    #[test]
    fn addresses_are_called_until_the_time_is_over() {
        let started = Instant::now();
        let (answered, calls) = call(&[NEVER, NEVER], ms(400));
        assert!(matches!(answered, Err(Error::Timeout(_))) && calls[0] > 1);
        assert!((ms(400)..ms(900)).contains(&started.elapsed()));
    }
}
