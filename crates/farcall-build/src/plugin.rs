//! The plugin of `protoc` and `buf`: the same generator, fed by a `CodeGeneratorRequest`.

use std::collections::HashMap;
use std::io::{Read, Write};

use buffa::Message;
use buffa_codegen::generated::compiler::code_generator_response::{Feature, File};
use buffa_codegen::generated::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};
use buffa_codegen::generated::descriptor::Edition;

use crate::builder::{MessageOptions, OUTPUT};
use crate::error::{Error, Result};
use crate::generate::generate;
use crate::source::Sources;

/// Reads a request to its end, writes the response.
///
/// What is wrong with the `.proto` files goes into the response, as `protoc` wants it.
///
/// # Errors
///
/// A request that cannot be read or decoded, a response that cannot be written.
pub fn run(mut input: impl Read, mut output: impl Write) -> Result {
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(|error| Error::new(format!("cannot read the request: {error}")))?;
    let request = buffa_codegen::decode_request(&bytes).map_err(Error::new)?;
    let mut response = CodeGeneratorResponse {
        supported_features: Some(
            Feature::FEATURE_PROTO3_OPTIONAL as u64 | Feature::FEATURE_SUPPORTS_EDITIONS as u64,
        ),
        minimum_edition: Some(Edition::EDITION_PROTO2 as i32),
        maximum_edition: Some(Edition::EDITION_2024 as i32),
        ..Default::default()
    };
    match respond(request) {
        Ok(file) => response.file.push(file),
        Err(error) => response.error = Some(error.to_string()),
    }
    output
        .write_all(&response.encode_to_vec())
        .and_then(|()| output.flush())
        .map_err(|error| Error::new(format!("cannot write the response: {error}")))
}

fn respond(request: CodeGeneratorRequest) -> Result<File> {
    let options = Options::parse(request.parameter.as_deref().unwrap_or(""))?;
    let sources = Sources {
        files: request.proto_file,
        requested: request.file_to_generate,
        paths: HashMap::new(),
    };
    let text = generate(sources, &options.messages)?;
    Ok(File { name: Some(options.file), content: Some(text), ..Default::default() })
}

/// The options in a request's parameter: `key`, `key=value`, parted by commas.
struct Options {
    file: String,
    messages: MessageOptions,
}

impl Options {
    fn parse(parameter: &str) -> Result<Self> {
        let mut options = Self { file: OUTPUT.to_owned(), messages: MessageOptions::default() };
        for entry in parameter.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (key, value) = entry.split_once('=').unwrap_or((entry, ""));
            match (key, value) {
                ("file", value) if !value.is_empty() => value.clone_into(&mut options.file),
                ("keep_unknown_fields", "" | "true") => options.messages.keep_unknown_fields = true,
                ("keep_unknown_fields", "false") => options.messages.keep_unknown_fields = false,
                ("bytes", value) if !value.is_empty() => {
                    options.messages.shared_bytes.push(value.to_owned());
                }
                // Read by `decode_request`, before this.
                (buffa_codegen::ELEMENT_MEMORY_LIMIT_OPT, _) => {}
                _ => {
                    return Err(Error::new(format!(
                        "option `{entry}` is not known; there are file=NAME, keep_unknown_fields, bytes=PATH and {}=BYTES",
                        buffa_codegen::ELEMENT_MEMORY_LIMIT_OPT
                    )));
                }
            }
        }
        Ok(options)
    }
}
