//! Every bound on what a peer can make a call cost, with its reason.

use crate::codec::UnknownFields;

/// Bounds on the messages of a call. They can be raised; the defaults suit a service whose messages are small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one received message as it is on the wire. Checked against the length prefix before anything is
    /// allocated: a prefix may claim 4 GiB. Default 4 MiB, as every gRPC library has it.
    pub max_receive_message: usize,
    /// Bytes of one message to be sent, before compression. A peer with default limits refuses larger ones, and here the
    /// error can still say who made the message. Default 4 MiB.
    pub max_send_message: usize,
    /// Bytes of one received message after decompression: a gzip stream grows up to a thousandfold. Default 4 MiB.
    pub max_decompressed: usize,
    /// Messages nested in one another, unknown groups included, or objects and arrays of JSON, of which no more than
    /// [`MAX_JSON_DEPTH`] are taken: decoding recurses, and the stack is finite. Default 100, as protobuf implementations
    /// have it.
    pub max_depth: u32,
    /// Bytes of the elements of repeated fields and maps in one decoded message: an empty element takes 2 bytes on the
    /// wire and may take 256 in memory. Default 32 MiB.
    pub max_element_memory: usize,
    /// Unknown fields in one decoded message, for messages that keep them: each takes 2 bytes on the wire and 40 in
    /// memory. Default 1,000,000.
    pub max_unknown_fields: usize,
    /// What is done with fields of a JSON message that its type does not have. Default: they are skipped, as Connect
    /// implementations do, so that a client may be newer than its server.
    pub json_unknown_fields: UnknownFields,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_receive_message: 4 * MIB,
            max_send_message: 4 * MIB,
            max_decompressed: 4 * MIB,
            max_depth: 100,
            max_element_memory: 32 * MIB,
            max_unknown_fields: 1_000_000,
            json_unknown_fields: UnknownFields::Ignore,
        }
    }
}

const MIB: usize = 1024 * 1024;

/// Bytes of a status message on the wire, after escaping. Trailers share one header list with the user's metadata, and
/// peers refuse lists above 8 KiB, which would lose the status itself. A longer message is cut at a character.
pub const MAX_STATUS_MESSAGE: usize = 1024;

/// Bytes of the details of a status as they go on the wire. For the same reason; details above it are left out, code and
/// message go.
pub const MAX_STATUS_DETAILS: usize = 6 * 1024;

/// Bytes of an error's message in Connect's JSON, before escaping. There is no header list to keep within; it keeps what
/// ends a stream below [`MAX_END`], which is what a peer like this one takes.
pub const MAX_ERROR_MESSAGE: usize = 4 * 1024;

/// Bytes of a received error's body in Connect, decompressed: a code, a message and details, which need some kilobytes. One
/// that is larger is not read, and the HTTP status says what it can.
pub const MAX_ERROR_BODY: usize = 64 * 1024;

/// Bytes of what ends a reply within its body: the trailers of gRPC-Web, the end of a Connect stream. As much as the
/// header list of HTTP may have that carries the same in other protocols.
pub const MAX_END: usize = 16 * 1024;

/// Names and values in what ends a reply within its body, as for a list of HTTP fields: each takes some bytes on the
/// wire and some more in memory.
pub const MAX_END_FIELDS: usize = 100;

/// Objects and arrays within one another in a JSON text, whatever [`Limits::max_depth`] says: what the stack of a small
/// thread bears.
pub const MAX_JSON_DEPTH: u32 = 127;

/// Characters of one number in a JSON text. The longest that a double or a 64-bit integer needs has 24; a million digits
/// cost the parser time.
pub const MAX_JSON_NUMBER: usize = 64;

/// Bytes of memory that an object of a JSON text counts for against [`Limits::max_element_memory`]: it may be a message
/// in a list, which takes 2 bytes as text and some 200 in memory.
pub const JSON_OBJECT_MEMORY: usize = 256;

/// The same for an element of an array: a text takes 24 bytes and its own, a `google.protobuf.Value` some 64.
pub const JSON_ELEMENT_MEMORY: usize = 64;

/// The same for a member of an object behind the first: it may be the entry of a map, and mostly is a field, which takes
/// no memory of its own.
pub const JSON_MEMBER_MEMORY: usize = 32;

/// Bytes of the buffer that a thread keeps for the next JSON text that it writes. A larger one is given back, so that one
/// large message does not cost its memory for ever.
pub const MAX_KEPT_JSON: usize = 64 * 1024;

/// The largest window of a zstd frame that is taken, as a power of two: 8 MiB, which RFC 8878 section 3.1.1.1.2 wants every
/// decoder to support. A frame of some bytes may ask for 2 GiB.
pub const ZSTD_WINDOW_LOG: u32 = 23;

/// Digits of Connect's timeout, which is in milliseconds: the most that its specification allows.
pub const MAX_TIMEOUT_DIGITS: usize = 10;

/// Details read from one received status: each takes at least 2 bytes on the wire and a struct in memory.
pub const MAX_DETAILS: usize = 64;

/// Bytes of a peer's text that an error quotes: enough to recognise it, too few to flood a log.
pub const MAX_QUOTED: usize = 64;

// A length prefix has 32 bits; the limits are compared with it as usize.
const _: () = assert!(size_of::<usize>() >= size_of::<u32>());
