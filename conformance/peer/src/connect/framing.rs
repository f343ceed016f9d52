//! Messages on standard input and output: a length of four bytes, big-endian, then the message.

use std::io;

use farcall::Message;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes of the largest message that the runner sends; the requests of its cases are below 1 MiB.
const MAX_MESSAGE: u32 = 16 << 20;

/// The next message; none at the end of the input.
///
/// # Errors
/// The input failed or ended within a message, or what came is no such message.
pub async fn read<M: Message>(input: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<M>> {
    let length = match input.read_u32().await {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    if length > MAX_MESSAGE {
        let text = format!("a message of {length} bytes; expected at most {MAX_MESSAGE}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let mut bytes = vec![0; length as usize];
    input.read_exact(&mut bytes).await?;
    let message = M::decode_from_slice(&bytes);
    message.map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

/// Writes a message and sees it off.
///
/// # Errors
/// The output failed.
pub async fn write<M: Message>(
    output: &mut (impl AsyncWrite + Unpin),
    message: &M,
) -> io::Result<()> {
    let bytes = message.encode_to_vec();
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    output.write_u32(length).await?;
    output.write_all(&bytes).await?;
    output.flush().await
}
