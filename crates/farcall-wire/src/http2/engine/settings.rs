//! What each side told the other in SETTINGS (RFC 9113 section 6.5).

use bytes::BufMut;

use super::receive::Greeting;
use super::window::StreamWindow;
use super::{Engine, Fault, Stream};
use crate::event::Event;
use crate::http2::frame::{
    CLIENT_PREFACE, DEFAULT_MAX_FRAME_SIZE, DEFAULT_WINDOW, MAX_WINDOW, Setting, SettingId,
    Settings,
};
use crate::http2::{ErrorCode, Role};
use crate::limits::Limits;

/// Octets of a header table before SETTINGS say otherwise.
pub(super) const DEFAULT_HEADER_TABLE_SIZE: u32 = 4096;

/// What the peer said.
#[derive(Debug)]
pub(super) struct PeerSettings {
    pub(super) max_concurrent_streams: u32,
    pub(super) initial_window_size: u32,
    pub(super) max_frame_size: u32,
    pub(super) enable_connect_protocol: bool,
}

impl PeerSettings {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            max_concurrent_streams: limits.initial_open_streams,
            initial_window_size: DEFAULT_WINDOW,
            max_frame_size: DEFAULT_MAX_FRAME_SIZE,
            enable_connect_protocol: false,
        }
    }
}

impl Engine {
    /// Whether the peer takes extended CONNECT (RFC 8441); known after [`Event::Open`].
    pub fn peer_takes_extended_connect(&self) -> bool {
        self.peer.enable_connect_protocol
    }

    /// Writes the preface, our SETTINGS and the connection's window.
    pub(super) fn send_greeting(&mut self) {
        let limits = &self.config.limits;
        if self.role == Role::Client {
            self.output.buffer.put_slice(CLIENT_PREFACE);
        }
        let mut entries = Vec::with_capacity(8);
        let mut say = |id, value, default| {
            if Some(value) != default {
                entries.push(Setting { id, value });
            }
        };
        say(SettingId::HeaderTableSize, limits.header_table_size, Some(DEFAULT_HEADER_TABLE_SIZE));
        match self.role {
            Role::Client => say(SettingId::EnablePush, 0, None),
            Role::Server => {
                say(SettingId::MaxConcurrentStreams, limits.max_concurrent_streams, None);
            }
        }
        say(SettingId::InitialWindowSize, self.windows.stream_size, Some(DEFAULT_WINDOW));
        say(SettingId::MaxFrameSize, limits.max_frame_size, Some(DEFAULT_MAX_FRAME_SIZE));
        say(SettingId::MaxHeaderListSize, limits.max_header_list_size, None);
        if self.config.extended_connect && self.role == Role::Server {
            say(SettingId::EnableConnectProtocol, 1, None);
        }
        Settings::emit(&entries, self.output.control());
        self.timers.settings_sent(self.now);
        self.widen_connection(self.config.limits.connection_window.min(MAX_WINDOW));
    }

    /// SETTINGS or their acknowledgement arrived.
    pub(super) fn receive_settings(&mut self, settings: &Settings<'_>) -> Result<(), Fault> {
        if settings.ack {
            return self.receive_settings_ack();
        }
        if settings.len() > self.config.limits.max_settings_entries {
            return Err(Fault::new(ErrorCode::EnhanceYourCalm, "too many entries in SETTINGS"));
        }
        if !self.rates.settings.take(self.now) {
            return Err(Fault::new(ErrorCode::EnhanceYourCalm, "SETTINGS too often"));
        }
        let before = self.peer.max_concurrent_streams;
        let first = self.greeting != Greeting::Done;
        if first {
            // Without a word about it there is no limit (RFC 9113 section 6.5.2).
            self.peer.max_concurrent_streams = u32::MAX;
        }
        for setting in settings.iter() {
            self.apply(setting)?;
        }
        Settings::emit_ack(self.output.control());
        if first {
            self.greeting = Greeting::Done;
            self.timers.greeted();
            if self.streams.is_empty() {
                self.timers.idle_since(self.now);
            }
            self.events.push_back(Event::Open);
        }
        if self.role == Role::Client && self.peer.max_concurrent_streams != before {
            self.open_blocked = false;
            self.events.push_back(Event::Capacity { streams: self.open_room() });
        }
        Ok(())
    }

    fn apply(&mut self, setting: Setting) -> Result<(), Fault> {
        let Setting { id, value } = setting;
        match id {
            SettingId::HeaderTableSize => {
                self.encoder.set_max_table_size(value);
                Ok(())
            }
            SettingId::EnablePush if value > 1 => {
                Err(Fault::protocol(format!("ENABLE_PUSH of {value}, expected 0 or 1")))
            }
            SettingId::EnablePush if value == 1 && self.role == Role::Client => {
                Err(Fault::protocol("a server with ENABLE_PUSH"))
            }
            SettingId::MaxConcurrentStreams => {
                self.peer.max_concurrent_streams = value;
                Ok(())
            }
            SettingId::InitialWindowSize => self.apply_initial_window(value),
            SettingId::MaxFrameSize => {
                if !(DEFAULT_MAX_FRAME_SIZE..=0xff_ffff).contains(&value) {
                    return Err(Fault::protocol(format!(
                        "MAX_FRAME_SIZE of {value}, expected 16384 to 16777215"
                    )));
                }
                self.peer.max_frame_size = value;
                Ok(())
            }
            SettingId::EnableConnectProtocol => match (value, self.peer.enable_connect_protocol) {
                (1, _) => {
                    self.peer.enable_connect_protocol = true;
                    Ok(())
                }
                (0, false) => Ok(()),
                // RFC 8441 section 3: once said, it cannot be taken back.
                _ => Err(Fault::protocol(format!("ENABLE_CONNECT_PROTOCOL of {value}"))),
            },
            _ => Ok(()),
        }
    }

    /// RFC 9113 section 6.9.2: all streams' windows move by the difference, perhaps below zero.
    fn apply_initial_window(&mut self, value: u32) -> Result<(), Fault> {
        if value > MAX_WINDOW {
            let reason = format!("INITIAL_WINDOW_SIZE of {value}, expected at most 2147483647");
            return Err(Fault::new(ErrorCode::FlowControlError, reason));
        }
        let difference = i64::from(value) - i64::from(self.peer.initial_window_size);
        self.peer.initial_window_size = value;
        for (id, stream) in self.streams.iter_mut() {
            stream.send_window += difference;
            if stream.send_window > i64::from(MAX_WINDOW) {
                let reason = "INITIAL_WINDOW_SIZE lifts a stream's window above 2147483647";
                return Err(Fault::new(ErrorCode::FlowControlError, reason));
            }
            if stream.has_unsent() && !stream.ready && stream.send_window > 0 {
                stream.ready = true;
                self.ready.push_back(id);
            }
        }
        Ok(())
    }

    fn receive_settings_ack(&mut self) -> Result<(), Fault> {
        if !self.timers.settings_acknowledged(self.now) {
            return self.glitch("acknowledgements of SETTINGS that were not sent");
        }
        let limits = &self.config.limits;
        if limits.header_table_size < DEFAULT_HEADER_TABLE_SIZE {
            self.decoder.set_max_table_size(limits.header_table_size);
        }
        self.windows.settle_stream_start();
        Ok(())
    }

    /// The stream's windows at its begin.
    pub(super) fn new_stream(&self) -> Stream {
        Stream::new(StreamWindow::new(self.now), self.peer.initial_window_size.into())
    }

    /// Whether `stream` has never been used.
    pub(super) fn is_idle(&self, stream: u32) -> bool {
        match self.role {
            Role::Server => stream.is_multiple_of(2) || stream > self.highest_peer,
            Role::Client => stream.is_multiple_of(2) || stream >= self.next_local,
        }
    }
}
