//! Options whose value is one of a few words of the runtime: so that the help lists them and a shell completes them.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use farcall::{Codec, Encoding, Protocol};

/// The protocols that calls can be made in.
pub(crate) fn protocol() -> impl TypedValueParser<Value = Protocol> {
    one_of(vec![Protocol::Grpc, Protocol::GrpcWeb, Protocol::Connect], Protocol::name)
}

/// The ways to encode messages.
pub(crate) fn codec() -> impl TypedValueParser<Value = Codec> {
    one_of(vec![Codec::Proto, Codec::Json], Codec::name)
}

/// The ways to compress them that this program was built with.
pub(crate) fn encoding() -> impl TypedValueParser<Value = Encoding> {
    one_of(Encoding::ALL.to_vec(), Encoding::name)
}

fn one_of<T: Copy + Send + Sync + 'static>(
    values: Vec<T>,
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names: Vec<_> = values.iter().map(|value| name(*value)).collect();
    PossibleValuesParser::new(names).try_map(move |word| {
        // The parser before has let nothing else through.
        values.iter().copied().find(|value| name(*value) == word).ok_or("no such word")
    })
}
