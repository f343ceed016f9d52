//! How a call failed.
//!
//! A [`Status`] is small, so that a `Result` with it is small. Code, message, details and metadata cross the wire; the
//! error that caused it stays in this process.

pub(crate) mod details;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use buffa::MessageName;
use bytes::Bytes;

use crate::code::Code;
use crate::codec;
use crate::metadata::Metadata;

/// What a call comes to.
pub type Result<T, E = Status> = std::result::Result<T, E>;

/// How a call failed: a code for programs, a message for people, details for both.
#[derive(Clone)]
pub struct Status(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    message: String,
    details: Vec<Any>,
    metadata: Metadata,
    leading: Metadata,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

/// A message of any type with its type's name, as google.protobuf.Any has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Any {
    /// The type: `type.googleapis.com/` and the message's full name.
    pub type_url: String,
    /// The message, encoded.
    pub value: Bytes,
}

impl Any {
    /// Wraps a message.
    ///
    /// # Errors
    /// `INTERNAL` when the message is larger than protobuf allows, 2 GiB.
    pub fn pack<M: buffa::Message + MessageName>(message: &M) -> Result<Self> {
        let value = message.try_encode_to_bytes().map_err(Status::internal)?;
        Ok(Self { type_url: M::TYPE_URL.to_owned(), value })
    }

    /// The message within when it is an `M`; none when it is another type or cannot be decoded.
    pub fn unpack<M: buffa::Message + MessageName>(&self) -> Option<M> {
        let (_, name) = self.type_url.rsplit_once('/')?;
        if name != M::FULL_NAME {
            return None;
        }
        codec::unpack(&self.value)
    }
}

/// One constructor for each code; each can be handed to `map_err`.
macro_rules! constructors {
    ($($name:ident $code:ident $meaning:literal;)*) => {$(
        #[doc = concat!($meaning, " `cause` is a text or any error.")]
        pub fn $name(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
            Self::new(Code::$code, cause)
        }
    )*};
}

impl Status {
    /// A failure. `cause` is a text or any error: what it says becomes the message, and an error is kept as
    /// [`source`](Error::source) in this process.
    pub fn new(code: Code, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let cause = cause.into();
        let message = cause.to_string();
        Self::build(code, message, Some(Arc::from(cause)))
    }

    /// A failure that a peer reported.
    pub(crate) fn received(code: Code, message: String) -> Self {
        Self::build(code, message, None)
    }

    fn build(code: Code, message: String, cause: Option<Arc<dyn Error + Send + Sync>>) -> Self {
        Self(Box::new(Inner {
            code,
            message,
            details: Vec::new(),
            metadata: Metadata::new(),
            leading: Metadata::new(),
            cause,
        }))
    }

    constructors! {
        cancelled Cancelled "The caller gave up.";
        unknown Unknown "Nobody said what went wrong.";
        invalid_argument InvalidArgument "The request makes no sense, whatever the state of the system.";
        deadline_exceeded DeadlineExceeded "Time ran out before the call was done.";
        not_found NotFound "What was asked for does not exist.";
        already_exists AlreadyExists "What was to be made exists.";
        permission_denied PermissionDenied "The caller is known and may not do this.";
        resource_exhausted ResourceExhausted "A quota, a limit or a resource is used up.";
        failed_precondition FailedPrecondition "The system is not in the state that the call needs.";
        aborted Aborted "The call lost against another one.";
        out_of_range OutOfRange "The call went past a valid range.";
        unimplemented Unimplemented "The method is not offered here.";
        internal Internal "Something that must always hold does not.";
        unavailable Unavailable "The service cannot be reached now.";
        data_loss DataLoss "Data is lost or damaged for good.";
        unauthenticated Unauthenticated "The caller did not prove who it is.";
    }

    /// The reason, for programs.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The reason, for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Typed messages about the failure, in order.
    pub fn details(&self) -> &[Any] {
        &self.0.details
    }

    /// The first detail of type `M`.
    pub fn detail<M: buffa::Message + MessageName>(&self) -> Option<M> {
        self.details().iter().find_map(Any::unpack)
    }

    /// Adds a typed message about the failure; one that cannot be encoded (above 2 GiB) is left out. Details above
    /// [`MAX_STATUS_DETAILS`](crate::limits::MAX_STATUS_DETAILS) altogether do not leave the process.
    #[must_use]
    pub fn with_detail<M: buffa::Message + MessageName>(self, detail: &M) -> Self {
        match Any::pack(detail) {
            Ok(any) => self.with_any(any),
            Err(_) => self,
        }
    }

    /// Adds a detail that is encoded already.
    #[must_use]
    pub fn with_any(mut self, detail: Any) -> Self {
        self.0.details.push(detail);
        self
    }

    /// The metadata that travels with the failure, in the trailers.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// The same, to be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.0.metadata
    }

    /// Replaces the metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.0.metadata = metadata;
        self
    }

    /// The metadata that had come before the failure, in the head of the reply. On a client only.
    pub fn leading_metadata(&self) -> &Metadata {
        &self.0.leading
    }

    /// Replaces the metadata that had come before the failure.
    #[must_use]
    pub fn with_leading_metadata(mut self, leading: Metadata) -> Self {
        self.0.leading = leading;
        self
    }

    pub(crate) fn with_details(mut self, details: Vec<Any>) -> Self {
        self.0.details = details;
        self
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().name())?;
        if self.message().is_empty() { Ok(()) } else { write!(f, ": {}", self.message()) }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Status");
        debug.field("code", &self.code()).field("message", &self.message());
        if !self.details().is_empty() {
            debug.field("details", &self.details());
        }
        if !self.metadata().is_empty() {
            debug.field("metadata", self.metadata());
        }
        if let Some(source) = self.source() {
            debug.field("source", &source);
        }
        debug.finish()
    }
}

impl Error for Status {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause: &(dyn Error + 'static) = self.0.cause.as_deref()?;
        if is_text(cause, self.message()) { None } else { Some(cause) }
    }
}

/// Whether the cause is nothing but the text that the message repeats. The standard library's error for a text has no
/// name to ask for, but it is the one whose `Debug` is that of the text itself.
fn is_text(cause: &(dyn Error + 'static), message: &str) -> bool {
    cause.source().is_none() && format!("{cause:?}") == format!("{message:?}")
}
