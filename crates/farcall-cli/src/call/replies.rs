//! Replies as JSON on standard output.

use std::io::{self, Write as _};
use std::sync::Arc;

use buffa_descriptor::{DynamicMessage, MessageIndex, ReflectMessage, ValueRef};
use farcall::Codec;

use crate::raw::Raw;
use crate::schema::{Schema, message_name, types_of_anys};
use crate::{Failure, Result};

/// Messages within one another that are searched for types: as many as are decoded.
const DEPTH: u32 = buffa::RECURSION_LIMIT;

/// Shows the replies of one call.
#[derive(Debug)]
pub(super) struct Replies {
    schema: Schema,
    message: MessageIndex,
    codec: Codec,
    pretty: bool,
}

impl Replies {
    pub(super) fn new(schema: Schema, message: MessageIndex, codec: Codec, pretty: bool) -> Self {
        Self { schema, message, codec, pretty }
    }

    pub(super) fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    /// Shows one.
    ///
    /// # Errors
    /// It is not such a message as was declared; or it cannot be written.
    pub(super) async fn show(&mut self, reply: &Raw) -> Result {
        let types = match self.codec {
            Codec::Json => types_of_anys(reply.text()),
            Codec::Proto => {
                let mut types = Vec::new();
                add_types_of_anys(&self.read(reply)?, DEPTH, &mut types);
                types
            }
        };
        if !types.is_empty() {
            let unknown = self.schema.learn(types).await;
            for name in &unknown {
                let text = "the descriptors do not know it, so that its fields are not shown";
                writeln!(io::stderr(), "farcall: {name}: {text}")?;
            }
            self.schema.declare_empty(&unknown);
        }
        let message = self.read(reply)?;
        let text = if self.pretty {
            serde_json::to_string_pretty(&message)
        } else {
            serde_json::to_string(&message)
        };
        let text = text.map_err(|error| self.unreadable(&error))?;
        writeln!(io::stdout(), "{text}")?;
        Ok(())
    }

    fn read(&self, reply: &Raw) -> Result<DynamicMessage> {
        let pool = Arc::clone(self.schema.pool());
        match self.codec {
            Codec::Proto => DynamicMessage::decode(pool, self.message, reply.bytes())
                .map_err(|error| self.unreadable(&error)),
            Codec::Json => {
                DynamicMessage::from_json_ignoring_unknown(pool, self.message, reply.text())
                    .map_err(|error| self.unreadable(&error))
            }
        }
    }

    fn unreadable(&self, error: &dyn std::error::Error) -> Failure {
        let name = message_name(self.schema.pool(), self.message);
        format!("the reply is no {name} as the descriptors have it: {error}").into()
    }
}

/// The names of the messages that are in a `google.protobuf.Any`.
fn add_types_of_anys(message: &dyn ReflectMessage, depth: u32, types: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    if message.message_descriptor().full_name() == "google.protobuf.Any" {
        let url = message.message_descriptor().field(1).map(|field| message.get(field));
        if let Some(ValueRef::String(url)) = url {
            types.extend(url.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned));
        }
        if let Ok(inner) = message.to_dynamic().unpack_any() {
            add_types_of_anys(&inner, depth, types);
        }
        return;
    }
    let mut look = |value: ValueRef<'_>| {
        if let ValueRef::Message(inner) = value {
            add_types_of_anys(&*inner, depth, types);
        }
    };
    message.for_each_set(&mut |_, value| match value {
        ValueRef::List(list) => (0..list.len()).filter_map(|at| list.get(at)).for_each(&mut look),
        ValueRef::Map(map) => map.for_each(&mut |_, value| look(value)),
        value => look(value),
    });
}
