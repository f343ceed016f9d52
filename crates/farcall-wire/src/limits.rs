//! Every bound on what a peer can make an engine keep or do, each with its reason.
//!
//! A limit can be raised; none can be taken away. Rates are token buckets, never lifetime counters:
//! a counter that only grows kills the healthy connection that lives long enough.

use std::time::Duration;

/// A token bucket's shape: how much at once, and how much per second in the long run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Tokens in a full bucket.
    pub burst: u32,
    /// Tokens that come back per second.
    pub per_second: f64,
}

impl Rate {
    /// A bucket of `burst` tokens that regains `per_second` tokens each second.
    pub const fn new(burst: u32, per_second: f64) -> Self {
        Self { burst, per_second }
    }
}

/// The bounds of an HTTP/2 engine. `Default` is what a server open to the world wants.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Streams that the peer may have open.
    pub max_concurrent_streams: u32,
    /// Streams that are open, or that the application still holds: one that the peer has reset
    /// counts until its handler is gone, or a peer could start work faster than it is paid for. More
    /// than `max_concurrent_streams`: a peer may use a slot again as soon as it has reset a stream,
    /// and a handler takes a moment to go. Above: new streams are refused.
    pub max_held_streams: u32,
    /// Streams a client opens before the peer's SETTINGS say how many it allows.
    pub initial_open_streams: u32,
    /// Octets of a decoded field list (RFC 9113 section 6.5.2 measure). Above: the request is
    /// refused with status 431. Four times as much ends the connection.
    pub max_header_list_size: u32,
    /// Fields of a list, each cookie crumb counted: an indexed field costs the peer one octet and
    /// us a slot.
    pub max_header_fields: usize,
    /// Fields of a list above which the connection ends.
    pub max_header_fields_abuse: usize,
    /// Octets of one encoded field block: it is buffered until its last CONTINUATION arrived.
    pub max_header_block: usize,
    /// CONTINUATION frames of one field block: endless ones never complete anything.
    pub max_continuations: u32,
    /// Empty CONTINUATION frames of one field block: they cost no header budget.
    pub max_empty_continuations: u32,
    /// Time for a field block to become complete: meanwhile nothing else can arrive on the
    /// connection.
    pub header_block_timeout: Duration,
    /// Octets of decoded fields in events that the driver has not fetched yet. Above: new streams
    /// are refused.
    pub max_pending_header_bytes: usize,
    /// Octets of the header table we offer for the peer's encoder.
    pub header_table_size: u32,
    /// Interim responses before the response: each is a whole field list.
    pub max_informational: u32,
    /// Payload octets of a frame we accept (`SETTINGS_MAX_FRAME_SIZE`).
    pub max_frame_size: u32,
    /// Consecutive empty frames which end nothing: they carry nothing.
    pub max_empty_frames: u32,
    /// Entries of one SETTINGS frame.
    pub max_settings_entries: usize,
    /// SETTINGS frames: each must be acknowledged and may touch every stream.
    pub settings: Rate,
    /// Streams that the peer resets before they were answered, or that its errors make us reset;
    /// each stream that completes gives one back. Empty: new streams are refused for a second;
    /// still empty: the connection ends.
    pub resets: Rate,
    /// Unknown frames, malformed messages, refused streams, late frames: legal, but nobody needs
    /// many of them.
    pub glitches: Rate,
    /// PING frames while no stream is open: each must be answered.
    pub pings: Rate,
    /// A client's PINGs without streams (keepalive) may come this often; twice earlier ends the
    /// connection (server).
    pub min_ping_interval_idle: Duration,
    /// The same while streams are open.
    pub min_ping_interval_active: Duration,
    /// PINGs that may come too early. Heads, data and window updates in either direction excuse
    /// them.
    pub ping_strikes: u32,
    /// `WINDOW_UPDATE` frames, on top of what streams and sent DATA frames earn (two each, twenty
    /// each).
    pub window_updates: Rate,
    /// Unsent control frames at which [`wants_input`](crate::http2::Engine::wants_input) turns
    /// false: a peer which does not read must not make us write more.
    pub max_unsent_control: u32,
    /// Octets waiting on one stream for the peer's windows; above, `send_room` is zero.
    pub max_unsent_stream: usize,
    /// Octets waiting on all streams of the connection; above, a stream has room only for a small
    /// share.
    pub max_unsent_connection: usize,
    /// Octets of output at which no more stream data is moved there: what one write can take.
    pub output_high_water: usize,
    /// A DATA frame smaller than this waits up to `small_chunk_delay` for a larger window, unless
    /// it carries all there is: a peer that dribbles its windows makes each octet cost a frame.
    pub min_data_chunk: usize,
    /// How long a small chunk waits.
    pub small_chunk_delay: Duration,
    /// A stream with data to send that moves less than `min_progress` per ten seconds over this
    /// time is reset; a connection whose peer reads nothing for this time is closed.
    pub no_progress_timeout: Duration,
    /// Octets per ten seconds that count as progress.
    pub min_progress: u64,
    /// First window of a stream, in octets: what the application holds of it at most. Each stream
    /// grows by itself.
    pub stream_window: u32,
    /// First window of the connection, in octets: what is on its way at most. It comes back when data
    /// arrives, whoever takes it, so that streams whose data nobody takes do not stop the others.
    pub connection_window: u32,
    /// Octets up to which a stream's window and the connection's grow when the measured
    /// bandwidth-delay product asks for it, and by which all streams' windows together grow. So an
    /// application holds `max_held_streams` times `stream_window` and `max_window` of a connection at
    /// most. Zero: no growth.
    pub max_window: u32,
    /// DATA payloads below this size are copied out of the input: a slice would keep the whole read
    /// buffer alive.
    pub copy_below: usize,
    /// Time for the peer's preface and first SETTINGS.
    pub handshake_timeout: Duration,
    /// Time for the acknowledgement of our SETTINGS.
    pub settings_timeout: Duration,
    /// Time between the two GOAWAYs of a drain when the peer does not answer the PING between them:
    /// several round trips of a slow link, and no longer, because a silent peer holds up a shutdown.
    pub drain_timeout: Duration,
    /// Time without any stream after which the connection drains; `None`: never.
    pub idle_timeout: Option<Duration>,
    /// Streams reset a short while ago whose late frames are ignored.
    pub max_remembered_resets: usize,
    /// Octets of a GOAWAY's debug data that are kept.
    pub max_debug_data: usize,
    /// GOAWAY frames honoured; later ones are glitches.
    pub max_goaways: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 128,
            max_held_streams: 256,
            initial_open_streams: 100,
            max_header_list_size: 16 * 1024,
            max_header_fields: 100,
            max_header_fields_abuse: 1000,
            max_header_block: 16 * 1024,
            max_continuations: 8,
            max_empty_continuations: 1,
            header_block_timeout: Duration::from_secs(10),
            max_pending_header_bytes: 256 * 1024,
            header_table_size: 4096,
            max_informational: 16,
            max_frame_size: 16 * 1024,
            max_empty_frames: 16,
            max_settings_entries: 32,
            settings: Rate::new(10, 1.0),
            resets: Rate::new(1000, 100.0),
            glitches: Rate::new(10_000, 330.0),
            pings: Rate::new(100, 10.0),
            min_ping_interval_idle: Duration::from_mins(1),
            min_ping_interval_active: Duration::from_secs(10),
            ping_strikes: 2,
            window_updates: Rate::new(1000, 10.0),
            max_unsent_control: 128,
            max_unsent_stream: 256 * 1024,
            max_unsent_connection: 1024 * 1024,
            output_high_water: 128 * 1024,
            min_data_chunk: 1024,
            small_chunk_delay: Duration::from_secs(1),
            no_progress_timeout: Duration::from_secs(30),
            min_progress: 1024,
            stream_window: 64 * 1024,
            connection_window: 1024 * 1024,
            max_window: 8 * 1024 * 1024,
            copy_below: 2048,
            handshake_timeout: Duration::from_secs(10),
            settings_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(2),
            idle_timeout: Some(Duration::from_mins(15)),
            max_remembered_resets: 1024,
            max_debug_data: 256,
            max_goaways: 2,
        }
    }
}

/// The bounds of an HTTP/1.1 engine. `Default` is what a server open to the world wants.
///
/// One exchange is under way on a connection at a time, so that bounds of a message are bounds of
/// the connection.
#[derive(Clone, Debug)]
pub struct Http1Limits {
    /// Octets of a request's target. Above: status 414. A first line may be 64 octets longer.
    pub max_target: usize,
    /// Octets of a head behind its first line, or of a trailer section. Above: status 431. Meanwhile
    /// all of it is buffered.
    pub max_header_size: usize,
    /// Fields of a head or a trailer section, 128 at most: each costs the peer four octets and us a
    /// slot. Above: status 431.
    pub max_header_fields: usize,
    /// Octets of chunk extensions in one message: nobody uses them, and each chunk can have some.
    pub max_chunk_extensions: usize,
    /// Interim responses before the response: each is a whole head.
    pub max_informational: u32,
    /// Octets behind the message under way (pipelined requests) at which
    /// [`wants_input`](crate::http1::Engine::wants_input) turns false: they wait here unread. One
    /// read may go beyond.
    pub max_pipelined: usize,
    /// Octets of content that the application holds at most; above, `wants_input` is false. One
    /// read may go beyond.
    pub window: u32,
    /// Octets of a request's content that are read and dropped after its response, so that the
    /// connection can be used again. Above: the connection is closed, which is cheaper.
    pub max_dropped: u64,
    /// Octets of content waiting for the output; above, `send_room` is zero.
    pub max_unsent: usize,
    /// Octets of output at which no more content is moved there and no further request is read:
    /// what one write can take.
    pub output_high_water: usize,
    /// Pieces of content below this size are copied out of the input: a slice would keep the whole
    /// read buffer alive.
    pub copy_below: usize,
    /// Time for a head to become complete, from its first octet on.
    pub head_timeout: Duration,
    /// In each period of this length a request's content must make progress, unless the
    /// application holds it back.
    pub content_period: Duration,
    /// Octets of content per `content_period` that count as progress.
    pub min_progress: u64,
    /// A connection whose peer reads nothing for this time is closed.
    pub no_progress_timeout: Duration,
    /// Time without any request after which the connection drains; `None`: never.
    pub idle_timeout: Option<Duration>,
}

impl Default for Http1Limits {
    fn default() -> Self {
        Self {
            max_target: 16 * 1024,
            max_header_size: 16 * 1024,
            max_header_fields: 100,
            max_chunk_extensions: 256,
            max_informational: 16,
            max_pipelined: 16 * 1024,
            window: 256 * 1024,
            max_dropped: 64 * 1024,
            max_unsent: 256 * 1024,
            output_high_water: 128 * 1024,
            copy_below: 2048,
            head_timeout: Duration::from_secs(10),
            content_period: Duration::from_secs(10),
            min_progress: 1024,
            no_progress_timeout: Duration::from_secs(30),
            idle_timeout: Some(Duration::from_mins(15)),
        }
    }
}

/// The bounds of a WebSocket engine. `Default` is what a server open to the world wants.
#[derive(Clone, Debug)]
pub struct WebSocketLimits {
    /// Payload octets of one frame; also what we put into one frame at most. Above: close code 1009,
    /// before any of the payload is kept.
    pub max_frame_size: usize,
    /// Octets of one message, put together and decompressed. Above: close code 1009.
    pub max_message_size: usize,
    /// Frames of one message: each costs a header and nothing bounds their number but this.
    pub max_fragments: u32,
    /// Empty frames in a row which end nothing: they carry nothing.
    pub max_empty_fragments: u32,
    /// DEFLATE streams that end within one message: each makes the decompressor begin anew.
    pub max_deflate_ends: u32,
    /// Answers to Pings that wait to be written. Above: only the newest Ping is answered (RFC 6455
    /// section 5.5.3).
    pub max_unsent_pongs: usize,
    /// Pings and Pongs that nobody asked for; each message gives one back.
    pub pings: Rate,
    /// Octets of output above which nothing is taken for sending and nothing is read: a peer that
    /// does not read must not make us keep more.
    pub max_unsent: usize,
    /// Messages below this size are copied out of the input: a slice would keep the whole read buffer
    /// alive.
    pub copy_below: usize,
    /// Subprotocols and extension offers of a handshake, each: real clients offer a few.
    pub max_offers: usize,
    /// Time for the peer's answer to our Close.
    pub close_timeout: Duration,
    /// A connection whose peer reads nothing for this time is closed.
    pub no_progress_timeout: Duration,
}

impl Default for WebSocketLimits {
    fn default() -> Self {
        Self {
            max_frame_size: 1024 * 1024,
            max_message_size: 4 * 1024 * 1024,
            max_fragments: 1024,
            max_empty_fragments: 16,
            max_deflate_ends: 16,
            max_unsent_pongs: 16,
            pings: Rate::new(100, 10.0),
            max_unsent: 1024 * 1024,
            copy_below: 2048,
            max_offers: 32,
            close_timeout: Duration::from_secs(10),
            no_progress_timeout: Duration::from_secs(30),
        }
    }
}
