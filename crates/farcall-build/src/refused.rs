//! Names of messages, enums and oneofs that no Rust type can have, refused where they stand in the `.proto`.
//!
//! Keywords, that is: they are lower case but for `Self`, and types in a `.proto` hardly ever are. Fields, packages,
//! services and procedures may have such names; they are escaped.

use buffa_codegen::generated::descriptor::DescriptorProto;
use buffa_codegen::idents::is_rust_keyword;

use crate::error::Result;
use crate::origin::Origin;

/// `FileDescriptorProto.message_type` and `.enum_type`, the first steps of a path.
const FILE_MESSAGE: i32 = 4;
const FILE_ENUM: i32 = 5;
/// `DescriptorProto.nested_type`, `.enum_type` and `.oneof_decl`, the steps inside of a message.
const MESSAGE_NESTED: i32 = 3;
const MESSAGE_ENUM: i32 = 4;
const MESSAGE_ONEOF: i32 = 8;

/// Refuses the file if it declares such a name.
pub(crate) fn check(origin: &Origin<'_>) -> Result {
    for (index, item) in (0_i32..).zip(&origin.file.enum_type) {
        check_type("enum", item.name.as_deref(), &[FILE_ENUM, index], origin)?;
    }
    for (index, message) in (0_i32..).zip(&origin.file.message_type) {
        check_message(message, &[FILE_MESSAGE, index], origin)?;
    }
    Ok(())
}

fn check_message(message: &DescriptorProto, path: &[i32], origin: &Origin<'_>) -> Result {
    check_type("message", message.name.as_deref(), path, origin)?;
    for (index, item) in (0_i32..).zip(&message.enum_type) {
        check_type("enum", item.name.as_deref(), &[path, &[MESSAGE_ENUM, index]].concat(), origin)?;
    }
    for (index, oneof) in (0_i32..).zip(&message.oneof_decl) {
        let name = oneof.name.as_deref().unwrap_or("");
        // The compiler wraps each `optional` field into a oneof of its own, which never becomes an enum.
        let synthetic = message
            .field
            .iter()
            .any(|field| field.oneof_index == Some(index) && field.proto3_optional == Some(true));
        // The enum is called by the name in camel case: `self_` makes `Self` as well.
        if !synthetic && name.replace('_', "").eq_ignore_ascii_case("self") {
            let path = [path, &[MESSAGE_ONEOF, index]].concat();
            return Err(origin.error(
                &path,
                format!("oneof `{name}` would be the enum `Self` in Rust; rename it"),
            ));
        }
    }
    for (index, nested) in (0_i32..).zip(&message.nested_type) {
        check_message(nested, &[path, &[MESSAGE_NESTED, index]].concat(), origin)?;
    }
    Ok(())
}

fn check_type(what: &str, name: Option<&str>, path: &[i32], origin: &Origin<'_>) -> Result {
    match name {
        Some(name) if is_rust_keyword(name) => Err(origin.error(
            path,
            format!("{what} `{name}`: no Rust type can be called `{name}`; rename it"),
        )),
        _ => Ok(()),
    }
}
