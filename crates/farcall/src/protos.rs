//! What generated code knows beside its messages: the descriptors of its files, and the types that an `Any` may hold.
//!
//! In JSON an `Any` is unfolded, so whoever writes or reads one has to know the type inside. buffa keeps one table of types
//! for the whole process and replaces it as a whole; here the tables of all generated code are joined. This module never
//! reads a message on its own account.

use std::cell::Cell;
use std::fmt;
use std::sync::{Mutex, Once, PoisonError};

use buffa::MessageName;
use buffa::type_registry::{JsonAnyEntry, TypeRegistry, set_type_registry};
use buffa_types::google::protobuf as well_known;
use bytes::BytesMut;
use farcall_core::{Codec, Limits, Message, Status};
use serde_json::Value;

/// `Any`s inside of `Any`s, told apart from messages inside of messages because each is decoded anew, with a depth of its own.
/// More than two are not seen in practice; each costs a copy of all that is in it.
const MAX_NESTED_ANY: u32 = 8;
/// Bytes of the JSON of what one `Any` holds: taken apart into values it takes up to sixteen times as much.
const MAX_TEXT: usize = 16 * 1024 * 1024;

/// What one tree of generated modules has once.
pub struct Protos {
    descriptors: &'static [u8],
    types: fn(&mut TypeRegistry),
    registered: Once,
}

impl Protos {
    /// `descriptors` is a `google.protobuf.FileDescriptorSet`; `types` adds the tree's messages to a table.
    pub const fn new(descriptors: &'static [u8], types: fn(&mut TypeRegistry)) -> Self {
        Self { descriptors, types, registered: Once::new() }
    }

    /// The files with services and all that they import.
    pub fn descriptors(&self) -> &'static [u8] {
        self.descriptors
    }

    /// Makes the messages of the tree known to every `Any`. Costs a load when they are already.
    pub fn register_types(&self) {
        self.registered.call_once(|| add(self.types));
    }
}

impl fmt::Debug for Protos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protos")
            .field("descriptors", &self.descriptors.len())
            .finish_non_exhaustive()
    }
}

/// Replaces the table of the process by one that knows these types too. The old table is never freed, since others may be
/// reading it; there are as many as trees of generated code in the program.
fn add(types: fn(&mut TypeRegistry)) {
    static ALL: Mutex<Vec<fn(&mut TypeRegistry)>> = Mutex::new(Vec::new());
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.push(types);
    let mut registry = TypeRegistry::new();
    add_well_known(&mut registry);
    for types in all.iter() {
        types(&mut registry);
    }
    set_type_registry(registry);
}

fn add_well_known(registry: &mut TypeRegistry) {
    macro_rules! special {
        ($($name:ident)*) => {
            $(registry.register_json_any(entry::<well_known::$name>(true));)*
        };
    }
    special!(Any Duration FieldMask ListValue Struct Timestamp Value);
    special!(BoolValue BytesValue DoubleValue FloatValue Int32Value Int64Value StringValue UInt32Value UInt64Value);
    register::<well_known::Empty>(registry);
}

/// Makes a message known to every `Any`.
pub fn register<M: Message + MessageName>(registry: &mut TypeRegistry) {
    registry.register_json_any(entry::<M>(false));
}

/// `special` types have no object for their JSON, or none of their own: in an `Any` it stands under `"value"`.
fn entry<M: Message + MessageName>(special: bool) -> JsonAnyEntry {
    JsonAnyEntry {
        type_url: M::TYPE_URL,
        to_json: any_to_json::<M>,
        from_json: any_from_json::<M>,
        is_wkt: special,
    }
}

/// The JSON of what an `Any` holds.
///
/// # Errors
/// The bytes are no `M`, its JSON is too long, or `Any`s are nested too deep.
pub fn any_to_json<M: Message>(bytes: &[u8]) -> Result<Value, String> {
    let nested = Nested::enter()?;
    let message: M = Codec::Proto.decode_request(bytes, &nested.limits()).map_err(reason)?;
    // By way of text, because that is how the message is written in calls: the code is there already.
    let mut text = BytesMut::new();
    Codec::Json.encode_into(&message, MAX_TEXT, &mut text).map_err(reason)?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

/// The bytes for an `Any` of the JSON in it.
///
/// # Errors
/// The JSON is no `M`, or `Any`s are nested too deep.
pub fn any_from_json<M: Message>(value: Value) -> Result<Vec<u8>, String> {
    // How deep it is was judged with the text that it is part of.
    let _nested = Nested::enter()?;
    let text = serde_json::to_vec(&value).map_err(|error| error.to_string())?;
    drop(value);
    let message: M = Codec::Json.decode_request(&text, &Limits::default()).map_err(reason)?;
    message.try_encode_to_vec().map_err(|error| error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what a failed result holds")]
fn reason(status: Status) -> String {
    status.message().to_owned()
}

thread_local! {
    /// How many `Any`s this thread is in. Neither serde nor the table's functions carry an argument for it.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// One `Any` further in, until it is dropped.
struct Nested(u32);

impl Nested {
    fn enter() -> Result<Self, String> {
        let depth = DEPTH.get() + 1;
        if depth > MAX_NESTED_ANY {
            return Err(format!("more than {MAX_NESTED_ANY} Any inside of one another"));
        }
        DEPTH.set(depth);
        Ok(Self(depth))
    }

    /// What is inside may be less deep the further in it is: all that is unfolded at once shares one stack.
    fn limits(&self) -> Limits {
        let limits = Limits::default();
        Limits { max_depth: limits.max_depth / (self.0 + 1), ..limits }
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        DEPTH.set(self.0 - 1);
    }
}
