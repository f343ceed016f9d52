//! Every default limit in one table: what a peer can make this end keep and do, protocol by protocol.
//!
//! The numbers are read from where they are used, so that the table cannot say anything else than what holds. What is
//! bounded by the machine rather than by a number, such as the connections of a process with few descriptors, is shown as
//! it is on this machine.

use std::time::Duration;

use farcall_core::limits::{self as core, MAX_END, MAX_END_FIELDS};
use farcall_socket::{ACCEPT_PAUSE, descriptor_limit};
use farcall_wire::http2;
use farcall_wire::limits::{Http1Limits, Limits as Http2Limits, Rate, WebSocketLimits};

use crate::budget::Budget;
use crate::server::{
    AGE_SPREAD, HANDSHAKE, HANDSHAKES_PER_CORE, MAX_CONNECTION_AGE, MAX_CONNECTIONS,
    SHUTDOWN_LIMIT, TURN_LIMIT, UNFINISHED_MESSAGES,
};
use crate::services::MAX_WATCHES;
use crate::{Limits, Options};

/// Where a limit holds: a transport or a protocol, as the columns of the table have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
    /// A WebSocket, and the calls on it.
    WebSocket,
    /// gRPC.
    Grpc,
    /// gRPC-Web.
    GrpcWeb,
    /// Connect.
    Connect,
    /// Messages as JSON, in any protocol.
    Json,
    /// TLS.
    Tls,
}

impl Scope {
    /// All, in the order of the columns.
    pub const ALL: [Self; 8] = [
        Self::Http1,
        Self::Http2,
        Self::WebSocket,
        Self::Grpc,
        Self::GrpcWeb,
        Self::Connect,
        Self::Json,
        Self::Tls,
    ];

    /// The name: `http1`, `http2`, `websocket`, `grpc`, `grpc-web`, `connect`, `json`, `tls`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
            Self::WebSocket => "websocket",
            Self::Grpc => "grpc",
            Self::GrpcWeb => "grpc-web",
            Self::Connect => "connect",
            Self::Json => "json",
            Self::Tls => "tls",
        }
    }
}

/// How much is let through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// So many.
    Count(u64),
    /// So many bytes.
    Bytes(u64),
    /// So long.
    Time(Duration),
    /// A token bucket: so many at once, and so many per second in the long run.
    Rate {
        /// At once.
        burst: u32,
        /// Per second.
        per_second: f64,
    },
    /// So many hundredths of what the row before bounds, up or down.
    Percent(u32),
    /// No bound, unless one is asked for.
    Off,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What is limited.
    pub name: &'static str,
    /// How far, where it holds at all.
    pub bounds: Vec<(Scope, Bound)>,
}

impl Limit {
    /// How far it goes in one place; none where it does not hold.
    pub fn at(&self, scope: Scope) -> Option<Bound> {
        self.bounds.iter().find(|(place, _)| *place == scope).map(|(_, bound)| *bound)
    }
}

/// The table: all limits that hold when nothing else is said.
pub fn all() -> Vec<Limit> {
    let mut table = Table(Vec::new());
    let defaults = Defaults::default();
    connections(&mut table, &defaults);
    heads(&mut table, &defaults);
    messages(&mut table, &defaults);
    memory(&mut table, &defaults);
    abuse(&mut table, &defaults);
    times(&mut table, &defaults);
    table.0
}

const TRANSPORTS: [Scope; 3] = [Scope::Http1, Scope::Http2, Scope::WebSocket];
const STREAMS: [Scope; 2] = [Scope::Http2, Scope::WebSocket];
const CALLS: [Scope; 3] = [Scope::Grpc, Scope::GrpcWeb, Scope::Connect];
const MESSAGES: [Scope; 4] = [Scope::Grpc, Scope::GrpcWeb, Scope::Connect, Scope::Json];

/// The values that the engines and the server begin with.
#[derive(Default)]
struct Defaults {
    http1: Http1Limits,
    /// Also of the calls on a WebSocket, whose session counts as a connection of HTTP/2 does.
    http2: Http2Limits,
    config: http2::Config,
    websocket: WebSocketLimits,
    calls: Limits,
    options: Options,
}

struct Table(Vec<Limit>);

impl Table {
    fn row(&mut self, name: &'static str, bounds: impl IntoIterator<Item = (Scope, Bound)>) {
        self.0.push(Limit { name, bounds: bounds.into_iter().collect() });
    }

    /// A limit that is the same wherever it holds.
    fn same(&mut self, name: &'static str, scopes: &[Scope], bound: Bound) {
        self.row(name, scopes.iter().map(|scope| (*scope, bound)));
    }
}

fn count(count: impl TryInto<u64>) -> Bound {
    Bound::Count(count.try_into().unwrap_or(u64::MAX))
}

fn bytes(bytes: impl TryInto<u64>) -> Bound {
    Bound::Bytes(bytes.try_into().unwrap_or(u64::MAX))
}

fn rate(rate: Rate) -> Bound {
    Bound::Rate { burst: rate.burst, per_second: rate.per_second }
}

fn connections(table: &mut Table, defaults: &Defaults) {
    let most = MAX_CONNECTIONS.min(descriptor_limit() / 2);
    let every = [Scope::Http1, Scope::Http2, Scope::WebSocket, Scope::Tls];
    table.same("connections of a server", &every, count(most));
    table.same("handshakes under way, per core", &[Scope::Tls], count(HANDSHAKES_PER_CORE));
    // One exchange at a time is what HTTP/1.1 is.
    let streams = defaults.http2.max_concurrent_streams;
    table.row(
        "calls at once on a connection",
        [
            (Scope::Http1, count(1_u32)),
            (Scope::Http2, count(streams)),
            (Scope::WebSocket, count(streams)),
        ],
    );
    table.same("calls whose handlers still run", &STREAMS, count(defaults.http2.max_held_streams));
    table.same("pipelined bytes unread", &[Scope::Http1], bytes(defaults.http1.max_pipelined));
    table.same("health watches on a connection", &CALLS, count(MAX_WATCHES));
}

fn heads(table: &mut Table, defaults: &Defaults) {
    let Defaults { http1, http2, .. } = defaults;
    let ends = [Scope::GrpcWeb, Scope::Connect];
    let list = bytes(http2.max_header_list_size);
    let mut sizes = vec![
        (Scope::Http1, bytes(http1.max_header_size)),
        (Scope::Http2, list),
        (Scope::WebSocket, list),
    ];
    sizes.extend(ends.map(|scope| (scope, bytes(MAX_END))));
    table.row("metadata in bytes", sizes);
    let fields = count(http2.max_header_fields);
    let mut counts = vec![
        (Scope::Http1, count(http1.max_header_fields)),
        (Scope::Http2, fields),
        (Scope::WebSocket, fields),
    ];
    counts.extend(ends.map(|scope| (scope, count(MAX_END_FIELDS))));
    table.row("metadata in fields", counts);
    let abuse = count(http2.max_header_fields_abuse);
    table.same("fields that end the connection", &STREAMS, abuse);
    table.row(
        "target in bytes",
        [(Scope::Http1, bytes(http1.max_target)), (Scope::Http2, list), (Scope::WebSocket, list)],
    );
    table.same("field block, encoded", &[Scope::Http2], bytes(http2.max_header_block));
    table.same("CONTINUATION frames", &[Scope::Http2], count(http2.max_continuations));
    table.same("CONTINUATION frames, empty", &[Scope::Http2], count(http2.max_empty_continuations));
    table.same("heads not fetched yet", &STREAMS, bytes(http2.max_pending_header_bytes));
    table.same("header table", &[Scope::Http2], bytes(http2.header_table_size));
    table.row(
        "interim responses",
        [
            (Scope::Http1, count(http1.max_informational)),
            (Scope::Http2, count(http2.max_informational)),
            (Scope::WebSocket, count(http2.max_informational)),
        ],
    );
    table.same("chunk extensions", &[Scope::Http1], bytes(http1.max_chunk_extensions));
    table.same("offers in a handshake", &[Scope::WebSocket], count(defaults.websocket.max_offers));
}

fn messages(table: &mut Table, defaults: &Defaults) {
    let calls = &defaults.calls;
    table.same("message received", &MESSAGES, bytes(calls.max_receive_message));
    table.same("message sent", &MESSAGES, bytes(calls.max_send_message));
    table.same("message decompressed", &MESSAGES, bytes(calls.max_decompressed));
    if cfg!(feature = "compression") {
        table.same("zstd window", &MESSAGES, bytes(1_u64 << core::ZSTD_WINDOW_LOG));
    }
    let json = calls.max_depth.min(core::MAX_JSON_DEPTH);
    let depths = CALLS.map(|scope| (scope, count(calls.max_depth)));
    table.row("depth of a message", depths.into_iter().chain([(Scope::Json, count(json))]));
    table.same("elements of a message, decoded", &MESSAGES, bytes(calls.max_element_memory));
    table.same("unknown fields kept", &CALLS, count(calls.max_unknown_fields));
    table.same("characters of a number", &[Scope::Json], count(core::MAX_JSON_NUMBER));
    table.same("status message", &CALLS[..2], bytes(core::MAX_STATUS_MESSAGE));
    table.same("status details sent", &CALLS, bytes(core::MAX_STATUS_DETAILS));
    table.same("status details read", &CALLS, count(core::MAX_DETAILS));
    table.same("error message", &[Scope::Connect], bytes(core::MAX_ERROR_MESSAGE));
    table.same("error body", &[Scope::Connect], bytes(core::MAX_ERROR_BODY));
    table.same("digits of a timeout", &[Scope::Connect], count(core::MAX_TIMEOUT_DIGITS));
    let websocket = &defaults.websocket;
    table.same("WebSocket frame", &[Scope::WebSocket], bytes(websocket.max_frame_size));
    table.same("WebSocket message", &[Scope::WebSocket], bytes(websocket.max_message_size));
    table.same("WebSocket fragments", &[Scope::WebSocket], count(websocket.max_fragments));
}

fn memory(table: &mut Table, defaults: &Defaults) {
    let Defaults { http1, http2, .. } = defaults;
    let stream = bytes(http2.stream_window);
    table.row(
        "window of a stream",
        [(Scope::Http1, bytes(http1.window)), (Scope::Http2, stream), (Scope::WebSocket, stream)],
    );
    table.same("window of a connection", &[Scope::Http2], bytes(http2.connection_window));
    table.same("windows grow to", &STREAMS, bytes(http2.max_window));
    table.same("unfinished messages of a connection", &STREAMS, bytes(UNFINISHED_MESSAGES));
    let process = bytes(Budget::of_process().bound());
    table.same("memory held for peers, of the process", &TRANSPORTS, process);
    let stream = bytes(http2.max_unsent_stream);
    table.row(
        "unsent, of a stream",
        [
            (Scope::Http1, bytes(http1.max_unsent)),
            (Scope::Http2, stream),
            (Scope::WebSocket, stream),
        ],
    );
    table.row(
        "unsent, of a connection",
        [
            (Scope::Http1, bytes(http1.max_unsent)),
            (Scope::Http2, bytes(http2.max_unsent_connection)),
            (Scope::WebSocket, bytes(defaults.websocket.max_unsent)),
        ],
    );
    table.row(
        "unsent control frames",
        [
            (Scope::Http2, count(http2.max_unsent_control)),
            (Scope::WebSocket, count(defaults.websocket.max_unsent_pongs)),
        ],
    );
}

fn abuse(table: &mut Table, defaults: &Defaults) {
    let Defaults { http2, websocket, .. } = defaults;
    table.same("resets by the peer or for its errors", &STREAMS, rate(http2.resets));
    table.same("useless frames", &STREAMS, rate(http2.glitches));
    table.row(
        "empty frames in a row",
        [
            (Scope::Http2, count(http2.max_empty_frames)),
            (Scope::WebSocket, count(websocket.max_empty_fragments)),
        ],
    );
    table.same("SETTINGS frames", &[Scope::Http2], rate(http2.settings));
    table.same("SETTINGS entries", &[Scope::Http2], count(http2.max_settings_entries));
    table.row(
        "PINGs",
        [(Scope::Http2, rate(http2.pings)), (Scope::WebSocket, rate(websocket.pings))],
    );
    table.same("PINGs that come too early", &[Scope::Http2], count(http2.ping_strikes));
    table.same("WINDOW_UPDATE frames, besides earned", &STREAMS, rate(http2.window_updates));
    table.same("GOAWAY frames", &STREAMS, count(http2.max_goaways));
}

fn times(table: &mut Table, defaults: &Defaults) {
    let Defaults { http1, http2, config, websocket, options, .. } = defaults;
    let time = Bound::Time;
    let every = [Scope::Http1, Scope::Http2, Scope::WebSocket, Scope::Tls];
    table.same("connection's beginning, handshakes", &every, time(HANDSHAKE));
    table.same("waiting for a handshake's turn", &[Scope::Tls], time(TURN_LIMIT));
    table.same("connecting", &every, time(options.connect_timeout));
    table.same("first pause when accept fails", &every, time(ACCEPT_PAUSE.0));
    table.same("longest pause when accept fails", &every, time(ACCEPT_PAUSE.1));
    table.row(
        "head complete",
        [
            (Scope::Http1, time(http1.head_timeout)),
            (Scope::Http2, time(http2.header_block_timeout)),
        ],
    );
    table.same("SETTINGS acknowledged", &[Scope::Http2], time(http2.settings_timeout));
    table.same(
        "shortest time between PINGs, idle",
        &[Scope::Http2],
        time(http2.min_ping_interval_idle),
    );
    table.same("the same with calls", &[Scope::Http2], time(http2.min_ping_interval_active));
    if let Some(interval) = config.keepalive_interval {
        table.same("keepalive after silence of", &STREAMS, time(interval));
        table.same("keepalive answered in", &STREAMS, time(config.keepalive_timeout));
    }
    table.row(
        "idle",
        [
            (Scope::Http1, http1.idle_timeout),
            (Scope::Http2, http2.idle_timeout),
            (Scope::WebSocket, http2.idle_timeout),
        ]
        .into_iter()
        .filter_map(|(scope, idle)| Some((scope, time(idle?)))),
    );
    table.row(
        "no progress",
        [
            (Scope::Http1, time(http1.no_progress_timeout)),
            (Scope::Http2, time(http2.no_progress_timeout)),
            (Scope::WebSocket, time(websocket.no_progress_timeout)),
        ],
    );
    table.row(
        "progress in 10 s",
        [
            (Scope::Http1, bytes(http1.min_progress)),
            (Scope::Http2, bytes(http2.min_progress)),
            (Scope::WebSocket, bytes(http2.min_progress)),
        ],
    );
    table.same("Close answered", &[Scope::WebSocket], time(websocket.close_timeout));
    table.same("shutdown, calls under way", &TRANSPORTS, time(SHUTDOWN_LIMIT));
    table.same("age of a connection", &TRANSPORTS, MAX_CONNECTION_AGE.map_or(Bound::Off, time));
    table.same("spread of the age", &TRANSPORTS, Bound::Percent(AGE_SPREAD));
    table.same("age, calls under way", &TRANSPORTS, time(SHUTDOWN_LIMIT));
}
