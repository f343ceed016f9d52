//! The column of the WebSocket: the calls that it carries, and the WebSocket itself below them.

mod session;
mod socket;

use crate::age;
use crate::limited::{self, Way};
use crate::peer::Carrier;
use crate::streams;

const CARRIER: Carrier = Carrier::WebSocket;

cells! { WebSocket:
    connections: "connections of a server" => |bound| limited::connections(Way::WebSocket, bound);
    calls_at_once: "calls at once on a connection" => |bound| streams::calls_at_once(CARRIER, bound);
    calls_held: "calls whose handlers still run" => session::calls_held;
    metadata_bytes: "metadata in bytes" => |bound| streams::metadata_bytes(CARRIER, bound);
    metadata_fields: "metadata in fields" => |bound| streams::metadata_fields(CARRIER, bound);
    fields_abuse: "fields that end the connection" => |bound| streams::fields_abuse(CARRIER, bound);
    target: "target in bytes" => |bound| streams::target(CARRIER, bound);
    heads_not_fetched: "heads not fetched yet" => session::heads_not_fetched;
    interim_responses: "interim responses" => session::interim_responses;
    offers: "offers in a handshake" => socket::offers;
    frame: "WebSocket frame" => socket::frame;
    message: "WebSocket message" => socket::message;
    fragments: "WebSocket fragments" => socket::fragments;
    stream_window: "window of a stream" => |bound| streams::stream_window(CARRIER, bound);
    windows_grow: "windows grow to" => session::windows_grow;
    unfinished: "unfinished messages of a connection" => |bound| {
        streams::unfinished_messages(CARRIER, bound);
    };
    memory: "memory held for peers, of the process" => |bound| limited::memory(Way::WebSocket, bound);
    unsent_stream: "unsent, of a stream" => session::unsent_stream;
    unsent_connection: "unsent, of a connection" => socket::unsent;
    unsent_control: "unsent control frames" => socket::unsent_control;
    resets: "resets by the peer or for its errors" => session::rapid_resets;
    useless_frames: "useless frames" => session::useless_frames;
    empty_frames: "empty frames in a row" => socket::empty_frames;
    pings: "PINGs" => socket::pings;
    window_updates: "WINDOW_UPDATE frames, besides earned" => session::credits;
    goaways: "GOAWAY frames" => session::goaways;
    beginning: "connection's beginning, handshakes" => |bound| limited::beginning(Way::WebSocket, bound);
    connecting: "connecting" => |bound| limited::connecting(Way::WebSocket, bound);
    first_pause: "first pause when accept fails" => limited::first_pause;
    longest_pause: "longest pause when accept fails" => limited::longest_pause;
    keepalive: "keepalive after silence of" => socket::keepalive;
    keepalive_answered: "keepalive answered in" => socket::keepalive_answered;
    idle: "idle" => session::idle;
    no_progress: "no progress" => socket::no_progress;
    progress: "progress in 10 s" => session::progress;
    close_answered: "Close answered" => socket::close_answered;
    shutdown: "shutdown, calls under way" => |bound| limited::shutdown(Way::WebSocket, bound);
    age: "age of a connection" => |bound| age::age(Way::WebSocket, bound);
    age_spread: "spread of the age" => |bound| age::spread(Way::WebSocket, bound);
    age_calls: "age, calls under way" => |bound| age::calls_under_way(Way::WebSocket, bound);
}
