//! `farcall call`: one call of any method of any server, JSON in and out.

mod details;
mod exchange;
mod input;
mod replies;

use clap::Args;
use farcall::{Codec, Encoding, Idempotency, Kind, Protocol};

use self::exchange::Exchange;
use self::input::Input;
use self::replies::Replies;
use crate::exit::Usage;
use crate::failed::Failed;
use crate::route::Route;
use crate::schema::{MethodPath, Origin, Symbol};
use crate::{Result, runtime, words};

/// Call a method, JSON in and out
///
/// What the method takes is learned from the server's reflection, or from --proto or --descriptor-set. Replies of a stream
/// are printed one per line, as they come.
#[derive(Args, Clone, Debug)]
#[command(after_help = crate::exit::CALL_HELP)]
pub struct Arguments {
    /// Where the server is: `HOST:PORT`, `tcp://`, `http://`, `https://`, `tls://`, `ws://`, `wss://` or `unix:///PATH`
    endpoint: String,
    /// What to call: `greet.v1.Greeter/SayHello`, or as many of its last parts as tell it from others: `SayHello`
    method: String,
    /// The request as JSON; `-`: standard input, one request after the other, each sent as it comes
    ///
    /// Without it the request is empty; of a method that takes a stream, standard input.
    data: Option<String>,
    /// How messages are encoded
    #[arg(long, value_name = "CODEC", default_value = "proto", value_parser = words::codec())]
    codec: Codec,
    /// Compress the requests
    #[arg(long, value_name = "ENCODING", value_parser = words::encoding())]
    compress: Option<Encoding>,
    /// Call by GET, which only Connect has, and only for methods without side effects
    #[arg(long)]
    get: bool,
    /// Print a single reply on one line, too
    #[arg(long)]
    compact: bool,
    /// Tell on standard error which method is called, and which metadata came before and after the replies
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    route: Route,
    #[command(flatten)]
    origin: Origin,
}

/// Makes the call.
///
/// # Errors
/// The method or its request is not what the server has; the call failed; output cannot be written.
pub fn run(arguments: &Arguments) -> Result {
    runtime::block_on(call(arguments))
}

async fn call(arguments: &Arguments) -> Result {
    let Arguments { endpoint, method, data, codec, compress, compact, verbose, .. } = arguments;
    let Arguments { route, origin, .. } = arguments;
    let guesses = Symbol::guesses(method);
    let channel = route.connect(endpoint).await?;
    let schema = route.schema(Some(&channel), origin, &guesses).await?;
    let path = schema.method(method)?;
    if arguments.get {
        check_get(route, path)?;
    }
    let input = Input::new(data.as_deref(), path.method.kind.streams_requests());
    let channel = if arguments.get { channel.get() } else { channel };
    let exchange = Exchange {
        channel: channel.codec(*codec),
        path,
        headers: route.headers(),
        timeout: route.timeout,
        codec: *codec,
        encoding: compress.unwrap_or_default(),
        verbose: *verbose,
    };
    let pretty = !compact && !path.method.kind.streams_replies();
    let mut replies = Replies::new(schema, path.output, *codec, pretty);
    match exchange.run(input, &mut replies).await {
        Ok(()) => Ok(()),
        Err(exchange::Ended::Other(failure)) => Err(failure),
        Err(exchange::Ended::Failed(status)) => {
            let details = details::lines(replies.schema(), &status, pretty).await;
            Err(Failed::call(status, details))
        }
    }
}

/// Without this the call would silently be made by POST.
fn check_get(route: &Route, path: MethodPath) -> Result<(), Usage> {
    let method = path.method;
    if route.protocol() != Protocol::Connect {
        return Err(Usage("only Connect has calls by GET: say --protocol connect".into()));
    }
    if method.kind != Kind::Unary || method.idempotency != Idempotency::NoSideEffects {
        return Err(Usage(format!(
            "{method} cannot be called by GET: it streams or has side effects"
        )));
    }
    Ok(())
}
