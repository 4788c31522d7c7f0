//! Sockets, TLS, HTTP, and the answers that a test asked for.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::body::{Body, Closed};
use crate::received::Received;
use crate::reply::Reply;
use crate::traffic::Service;

/// Listens on a port of 127.0.0.1.
pub(crate) fn bind(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    #[cfg(not(windows))] // where it would share the port with another server
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(4096) // room for a storm of clients; the system may allow less
}

/// Takes connections for ever.
pub(crate) async fn accept<S: Service>(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    service: Arc<S>,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: some will be closed.
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        service.traffic().connected();
        tokio::spawn(greet(stream, acceptor.clone(), Arc::clone(&service)));
    }
}

async fn greet<S: Service>(stream: TcpStream, acceptor: Option<TlsAcceptor>, service: Arc<S>) {
    // Without it an answer may wait for the client's acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => converse(stream, service).await,
        // A client that refuses the certificate tells so itself.
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                converse(stream, service).await;
            }
        }
    }
}

async fn converse<S: Service>(stream: impl AsyncRead + AsyncWrite + Unpin, service: Arc<S>) {
    // A client that gives up does not stop what the server has begun.
    let serving = service_fn(|request| {
        let served = tokio::spawn(serve(request, Arc::clone(&service)));
        async { served.await.unwrap_or(Err(Closed)) }
    });
    // An error is a client that left, or a connection closed as a test asked.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), serving)
        .await;
}

async fn serve<S: Service>(
    request: Request<Incoming>,
    service: Arc<S>,
) -> Result<Response<Body>, Closed> {
    let received = Arc::new(Received::read(request).await.map_err(|_| Closed)?);
    if let Some(reply) = service.aside(&received) {
        return Ok(respond(reply, 0));
    }
    let (number, mut answer) = service.traffic().note(Arc::clone(&received));
    let reply = loop {
        answer = match answer {
            None => break service.answer(number, &received),
            Some(Answer::Reply {
                status,
                headers,
                body,
            }) => {
                break Reply {
                    status,
                    headers,
                    body,
                };
            }
            Some(Answer::Late(delay)) => {
                tokio::time::sleep(delay).await;
                None
            }
            Some(Answer::LateReply(delay, answer)) => {
                tokio::time::sleep(delay).await;
                Some(*answer)
            }
            Some(Answer::Silence) => pending().await,
            Some(Answer::Reset) => return Err(Closed),
            Some(Answer::CutOff) => {
                let reply = service.answer(number, &received);
                return Ok(respond(reply, number).map(Body::cut));
            }
            Some(Answer::LostAndLate(delay)) => {
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    service.answer(number, &received);
                });
                return Err(Closed);
            }
            Some(Answer::LostReply) => {
                service.answer(number, &received);
                return Err(Closed);
            }
        };
    };
    Ok(respond(reply, number))
}

fn respond(reply: Reply, number: usize) -> Response<Body> {
    let is_id = |name: &str| ["x-request-id", "x-arequestid"].contains(&name);
    let own_id = (reply.headers.iter()).any(|(name, _)| is_id(&name.to_ascii_lowercase()));
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    if !own_id {
        response = response.header("x-request-id", format!("{number:016x}"));
    }
    response
        .body(Body::whole(reply.body))
        .unwrap_or_else(|error| {
            let text = format!("stand_in was told to say what is not HTTP: {error}");
            let mut response = Response::new(Body::whole(text));
            *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
}
