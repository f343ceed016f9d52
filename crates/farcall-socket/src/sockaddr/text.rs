//! Addresses as people write them; printing one gives the text back.

use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;

use super::{Sockaddr, SockaddrError, SockaddrUn};

impl FromStr for Sockaddr {
    type Err = SockaddrError;

    /// `127.0.0.1:80`, `[::1]:80`, an absolute path such as `/run/x.sock`, or `@name` for an abstract name.
    fn from_str(text: &str) -> Result<Self, SockaddrError> {
        if let Some(name) = text.strip_prefix('@') {
            return SockaddrUn::from_abstract(name.as_bytes()).map(Self::Un);
        }
        if text.starts_with('/') {
            return SockaddrUn::from_path(Path::new(text)).map(Self::Un);
        }
        text.parse::<SocketAddr>().map(Self::from).map_err(|_| SockaddrError::Text)
    }
}
