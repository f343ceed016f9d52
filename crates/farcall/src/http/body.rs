//! The body of a request, as the HTTP application reads it.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::http::flow::Flow;
use crate::http::head;

/// A body that comes in pieces, as fast as it is read: what is not read fills the client's window, and the client waits.
///
/// Dropping it throws away what is left of it.
pub struct Body(Kind);

enum Kind {
    Empty,
    Full(Bytes),
    Incoming { flow: Arc<Flow>, length: Option<u64> },
}

impl Body {
    /// A body of nothing.
    pub fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// What comes on the flow; `length` as the head has announced it.
    pub(crate) fn incoming(flow: Arc<Flow>, length: Option<u64>) -> Self {
        if flow.is_at_end() { Self::empty() } else { Self(Kind::Incoming { flow, length }) }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(Kind::Full(bytes.into()))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        match &mut this.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                this.0 = Kind::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Kind::Incoming { flow, length } => {
                if let Some(data) = ready!(flow.poll_data(usize::MAX, cx))? {
                    *length = length.map(|length| length.saturating_sub(data.len() as u64));
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                let trailers = flow.take_trailers().and_then(|fields| head::headers(&fields).ok());
                this.0 = Kind::Empty;
                Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Incoming { flow, .. } => flow.is_at_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Incoming { length: Some(length), .. } => SizeHint::with_exact(*length),
            Kind::Incoming { length: None, .. } => SizeHint::new(),
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Kind::Incoming { flow, .. } = &self.0 {
            flow.ignore();
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}
