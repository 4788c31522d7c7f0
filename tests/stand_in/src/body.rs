//! What goes out as the body of an answer.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame, SizeHint};

/// A body, which may end too early.
#[derive(Debug)]
pub(crate) struct Body {
    bytes: Bytes,
    /// How many more bytes are announced.
    missing: usize,
    flushed: bool,
}

impl Body {
    pub(crate) fn whole(text: String) -> Self {
        Self {
            bytes: text.into(),
            missing: 0,
            flushed: false,
        }
    }

    /// The first half, announced as the whole.
    pub(crate) fn cut(mut self) -> Self {
        self.missing = self.bytes.len().div_ceil(2);
        self.bytes.truncate(self.bytes.len() - self.missing);
        self
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        if !self.bytes.is_empty() {
            let bytes = mem::take(&mut self.bytes);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if self.missing == 0 {
            return Poll::Ready(None);
        }
        if mem::replace(&mut self.flushed, true) {
            return Poll::Ready(Some(Err(Closed)));
        }
        // hyper sends what it has while it waits.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.missing == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.bytes.len() + self.missing) as u64)
    }
}

/// Makes hyper close the connection without another byte.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection closed on purpose")
    }
}

impl std::error::Error for Closed {}
