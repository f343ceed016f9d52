//! The column of TLS: what is bounded before anybody knows what is spoken inside.

use crate::limited::{self, Way};

cells! { Tls:
    connections: "connections of a server" => |bound| limited::connections(Way::Tls, bound);
    beginning: "connection's beginning, handshakes" => |bound| limited::beginning(Way::Tls, bound);
    connecting: "connecting" => |bound| limited::connecting(Way::Tls, bound);
}
