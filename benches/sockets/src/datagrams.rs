//! UDP over loopback: single calls beside batches, 32 datagrams out and in again per step, on one thread.

use std::io;
use std::time::Instant;

use farcall_socket::{DatagramBatch, DatagramSocket, Endpoint, Options};

const BYTES: usize = 1200;
const STEP: u32 = 32;
const STEPS: u32 = 200;

/// Microseconds per datagram of each round: sending and receiving one by one, and in batches.
pub fn measure(rounds: usize) -> io::Result<[Vec<f64>; 2]> {
    let (one, two) = (bind()?, bind()?);
    let (mut from, mut to) = (bind()?.batched(), bind()?.batched());
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        times[0].push(timed(|| single(&one, &two))?);
        times[1].push(timed(|| batched(&mut from, &mut to))?);
    }
    Ok(times)
}

fn timed(mut step: impl FnMut() -> io::Result<()>) -> io::Result<f64> {
    let begin = Instant::now();
    for _ in 0..STEPS {
        step()?;
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6 / f64::from(STEPS * STEP))
}

fn bind() -> io::Result<DatagramSocket> {
    let endpoint: Endpoint = "udp://127.0.0.1:0".parse().map_err(io::Error::other)?;
    Ok(DatagramSocket::bind_blocking(&endpoint, &Options::default())?)
}

fn single(from: &DatagramSocket, to: &DatagramSocket) -> io::Result<()> {
    let (address, datagram, mut buffer) = (to.local()?, [7; BYTES], [0; BYTES]);
    for _ in 0..STEP {
        from.blocking().send_to(&datagram, &address)?;
    }
    for _ in 0..STEP {
        to.blocking().receive(&mut buffer)?;
    }
    Ok(())
}

fn batched(from: &mut DatagramBatch, to: &mut DatagramBatch) -> io::Result<()> {
    let (address, datagram, mut buffer) = (to.get_ref().local()?, [7; BYTES], [0; BYTES]);
    for _ in 0..STEP {
        from.blocking().send_to(&datagram, &address)?;
    }
    from.blocking().flush()?;
    for _ in 0..STEP {
        to.blocking().receive(&mut buffer)?;
    }
    Ok(())
}
