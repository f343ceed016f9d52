//! Options as the query of an endpoint: `backlog=64&nodelay=0`.
//!
//! A query changes the options that it names and says nothing about the others. Each value has one way to be written.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::limits::{DEVICE_BYTES, MULTICAST_GROUPS, QUERY_OPTIONS};
use crate::{EndpointError, Keepalive, Options};

/// What a value had to be.
type Expected = &'static str;

/// Checks the query of an endpoint: every key known and used once, every value right.
pub(crate) fn check(url: &str, query: &str) -> Result<(), EndpointError> {
    let wrong = |expected, got: &str| Err(EndpointError::new(url, "option", expected, got));
    let mut options = Options::default();
    let mut keys: Vec<&str> = Vec::new();
    for pair in query.split('&') {
        let Some((key, value)) = pair.split_once('=') else {
            return wrong("options as in ?backlog=64&nodelay=0", pair);
        };
        if keys.contains(&key) || keys.len() == QUERY_OPTIONS {
            return wrong("each option once", pair);
        }
        if let Err(expected) = set(&mut options, key, value) {
            return wrong(expected, pair);
        }
        keys.push(key);
    }
    Ok(())
}

/// Changes the options that the query names. The query was checked; what is wrong in it is passed over.
pub(crate) fn apply(query: &str, options: &mut Options) {
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let _ = set(options, key, value);
    }
}

/// Writes the options that differ from the defaults.
pub(crate) fn emit(options: &Options, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut separator = "";
    for (ours, default) in values(options).into_iter().zip(values(&Options::default())) {
        if ours != default {
            let (key, value) = ours;
            write!(f, "{separator}{key}={value}")?;
            separator = "&";
        }
    }
    Ok(())
}

fn set(options: &mut Options, key: &str, value: &str) -> Result<(), Expected> {
    match key {
        "backlog" => options.backlog = optional(value, number)?,
        "nodelay" => options.nodelay = switch(value)?,
        "keepalive" => {
            let on = switch(value)?;
            options.keepalive = on.then(|| options.keepalive.take().unwrap_or_default());
        }
        "keepidle" => keepalive(options).idle = time(value)?,
        "keepinterval" => keepalive(options).interval = time(value)?,
        "keepprobes" => keepalive(options).probes = number(value)?,
        "usertimeout" => options.user_timeout = optional(value, time)?,
        "connecttimeout" => options.connect_timeout = time(value)?,
        "mode" => options.unix_mode = mode(value)?,
        "reuseaddr" => options.reuse_address = switch(value)?,
        "reuseport" => options.reuse_port = switch(value)?,
        "rcvbuf" => options.receive_buffer = optional(value, number)?,
        "sndbuf" => options.send_buffer = optional(value, number)?,
        "linger" => options.linger = optional(value, time)?,
        "fastopen" => options.fast_open = number(value)?,
        "deferaccept" => options.defer_accept = optional(value, time)?,
        "v6only" => options.v6_only = switch(value)?,
        "device" => options.device = optional(value, device)?,
        "local" => options.local = optional(value, address)?,
        "broadcast" => options.broadcast = switch(value)?,
        "groups" => options.groups = groups(value)?,
        "hops" => options.multicast_hops = number(value)?,
        "loop" => options.multicast_loop = switch(value)?,
        _ => return Err("the name of an option, such as backlog, nodelay or reuseport"),
    }
    Ok(())
}

/// Every option as [`set`] reads it. Keepalive stands before its times, which would turn it on again.
fn values(options: &Options) -> [(&'static str, String); 23] {
    let keepalive = options.keepalive.clone().unwrap_or_default();
    let switch = |on: bool| u8::from(on).to_string();
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    [
        ("backlog", or_none(options.backlog.map(|count| count.to_string()))),
        ("nodelay", switch(options.nodelay)),
        ("keepalive", switch(options.keepalive.is_some())),
        ("keepidle", emit_time(keepalive.idle)),
        ("keepinterval", emit_time(keepalive.interval)),
        ("keepprobes", keepalive.probes.to_string()),
        ("usertimeout", or_none(options.user_timeout.map(emit_time))),
        ("connecttimeout", emit_time(options.connect_timeout)),
        ("mode", format!("{:04o}", options.unix_mode & 0o777)),
        ("reuseaddr", switch(options.reuse_address)),
        ("reuseport", switch(options.reuse_port)),
        ("rcvbuf", or_none(options.receive_buffer.map(|bytes| bytes.to_string()))),
        ("sndbuf", or_none(options.send_buffer.map(|bytes| bytes.to_string()))),
        ("linger", or_none(options.linger.map(emit_time))),
        ("fastopen", options.fast_open.to_string()),
        ("deferaccept", or_none(options.defer_accept.map(emit_time))),
        ("v6only", switch(options.v6_only)),
        ("device", or_none(options.device.as_ref().map(ToString::to_string))),
        ("local", or_none(options.local.map(|address| address.to_string()))),
        ("broadcast", switch(options.broadcast)),
        ("groups", emit_groups(&options.groups)),
        ("hops", options.multicast_hops.to_string()),
        ("loop", switch(options.multicast_loop)),
    ]
}

fn keepalive(options: &mut Options) -> &mut Keepalive {
    options.keepalive.get_or_insert_default()
}

fn optional<T>(value: &str, parse: fn(&str) -> Result<T, Expected>) -> Result<Option<T>, Expected> {
    if value == "none" { Ok(None) } else { parse(value).map(Some) }
}

fn switch(value: &str) -> Result<bool, Expected> {
    match value {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err("0 or 1"),
    }
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, Expected> {
    let expected = "a number, and not too large a one";
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    if digits { value.parse().map_err(|_| expected) } else { Err(expected) }
}

/// Nanoseconds in each unit of time, the largest first.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

fn time(value: &str) -> Result<Duration, Expected> {
    let expected = "a time of at most 100 years, such as 250ms, 30s, 5m or 2h";
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (count, unit) = value.split_at(end);
    let count: u64 = count.parse().map_err(|_| expected)?;
    let nanoseconds = UNITS.iter().find(|(name, _)| *name == unit).ok_or(expected)?.1;
    let nanoseconds = count.checked_mul(nanoseconds).ok_or(expected)?;
    let time = Duration::from_nanos(nanoseconds);
    if time <= LONGEST_TIME { Ok(time) } else { Err(expected) }
}

/// 100 years: more than anybody waits, and it fits every clock.
const LONGEST_TIME: Duration = Duration::from_hours(100 * 365 * 24);

/// In the largest unit that needs no fraction.
fn emit_time(time: Duration) -> String {
    let nanoseconds = time.min(LONGEST_TIME).as_nanos() as u64;
    if nanoseconds == 0 {
        return "0s".to_owned();
    }
    UNITS
        .iter()
        .find(|(_, unit)| nanoseconds.is_multiple_of(*unit))
        .map_or_else(String::new, |(name, unit)| format!("{}{name}", nanoseconds / unit))
}

fn mode(value: &str) -> Result<u32, Expected> {
    let expected = "permission bits in octal, such as 0660";
    let digits = (3..=4).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    match u32::from_str_radix(value, 8) {
        Ok(mode) if digits && mode <= 0o777 => Ok(mode),
        _ => Err(expected),
    }
}

fn device(value: &str) -> Result<std::sync::Arc<str>, Expected> {
    let is_name = |b: u8| b.is_ascii_graphic() && b != b'/' && b != b'&';
    if (1..=DEVICE_BYTES).contains(&value.len()) && value.bytes().all(is_name) {
        return Ok(value.into());
    }
    Err("the name of a network interface, such as eth0")
}

fn address(value: &str) -> Result<SocketAddr, Expected> {
    value.parse().map_err(|_| "an address and port, such as 127.0.0.1:0 or [::1]:0")
}

fn groups(value: &str) -> Result<Vec<IpAddr>, Expected> {
    let expected = "up to 20 multicast addresses with commas between them, such as 239.1.2.3";
    if value == "none" {
        return Ok(Vec::new());
    }
    let groups: Result<Vec<IpAddr>, _> = value.split(',').map(str::parse).collect();
    match groups {
        Ok(groups)
            if groups.len() <= MULTICAST_GROUPS && groups.iter().all(IpAddr::is_multicast) =>
        {
            Ok(groups)
        }
        _ => Err(expected),
    }
}

fn emit_groups(groups: &[IpAddr]) -> String {
    let groups: Vec<_> = groups.iter().map(IpAddr::to_string).collect();
    if groups.is_empty() { "none".to_owned() } else { groups.join(",") }
}
