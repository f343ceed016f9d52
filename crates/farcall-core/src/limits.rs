//! Every bound on what a peer can make a call cost, with its reason.

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
    /// Messages nested in one another, unknown groups included: decoding recurses, and the stack is finite. Default 100,
    /// as protobuf implementations have it.
    pub max_depth: u32,
    /// Bytes of the elements of repeated fields and maps in one decoded message: an empty element takes 2 bytes on the
    /// wire and may take 256 in memory. Default 32 MiB.
    pub max_element_memory: usize,
    /// Unknown fields in one decoded message, for messages that keep them: each takes 2 bytes on the wire and 40 in
    /// memory. Default 1,000,000.
    pub max_unknown_fields: usize,
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

/// Details read from one received status: each takes at least 2 bytes on the wire and a struct in memory.
pub const MAX_DETAILS: usize = 64;

/// Bytes of a peer's text that an error quotes: enough to recognise it, too few to flood a log.
pub const MAX_QUOTED: usize = 64;

// A length prefix has 32 bits; the limits are compared with it as usize.
const _: () = assert!(size_of::<usize>() >= size_of::<u32>());
