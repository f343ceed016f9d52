//! Descriptors from the server itself: `grpc.reflection.v1`, or its forerunner `v1alpha`.
//!
//! Each round of questions is one call that has sent everything before it reads the first answer, so that it works over
//! HTTP/1.1, too, where answers only begin when the questions have ended.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;
use std::time::Duration;

use buffa::Message as _;
use buffa_descriptor::generated::descriptor::FileDescriptorProto;
use farcall::reflection::{
    MessageRequest, MessageResponse, ServerReflectionClient, ServerReflectionRequest,
    ServerReflectionResponse, V1ALPHA,
};
use farcall::{Channel, Code, Inbound, Outbound, Pending, Status, stub};

use super::builtin;
use crate::Result;
use crate::failed::Failed;
use crate::metadata::Headers;

/// Files of one server: more than any has, and few enough for a tool's memory.
const MAX_FILES: usize = 10_000;
/// Bytes of all of them together.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Questions in one call: an answer to each may be kept by both sides at once.
const MAX_QUESTIONS: usize = 100;

/// How to ask a server what it offers.
#[derive(Clone, Debug)]
pub(crate) struct Reflection {
    channel: Channel,
    headers: Headers,
    /// For each call.
    limit: Duration,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// Or the forerunner, where the server does not have it.
    V1,
    V1Alpha,
}

impl Reflection {
    pub(crate) fn new(channel: Channel, headers: Headers, limit: Duration) -> Self {
        Self { channel, headers, limit, version: Version::V1 }
    }

    /// The full names of all services, sorted.
    ///
    /// # Errors
    /// The server cannot be asked, or has no reflection.
    pub(crate) async fn services(&mut self) -> Result<Vec<String>> {
        let answers = self.ask(&[MessageRequest::ListServices(String::new())]).await?;
        let mut names = Vec::new();
        for answer in answers {
            match answer {
                MessageResponse::ListServicesResponse(list) => {
                    names.extend(list.service.into_iter().map(|service| service.name));
                }
                MessageResponse::ErrorResponse(error) => {
                    let code = u32::try_from(error.error_code).ok().and_then(Code::from_u32);
                    let code = code.unwrap_or(Code::Unknown);
                    return Err(Failed::reflection(Status::new(code, error.error_message)));
                }
                _ => {}
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// The files that declare these symbols, with all that they import. What the server does not know is left out.
    ///
    /// # Errors
    /// The server cannot be asked, has no reflection, or answers with what is no descriptor or with too many.
    pub(crate) async fn files_with(
        &mut self,
        symbols: &[String],
    ) -> Result<Vec<FileDescriptorProto>> {
        let mut files = Files::default();
        let mut questions: Vec<_> =
            symbols.iter().cloned().map(MessageRequest::FileContainingSymbol).collect();
        while !questions.is_empty() {
            for some in questions.chunks(MAX_QUESTIONS) {
                for answer in self.ask(some).await? {
                    if let MessageResponse::FileDescriptorResponse(found) = answer {
                        files.add(&found.file_descriptor_proto)?;
                    }
                }
            }
            questions = files.missing().into_iter().map(MessageRequest::FileByFilename).collect();
        }
        Ok(files.into_vec())
    }

    async fn ask(&mut self, questions: &[MessageRequest]) -> Result<Vec<MessageResponse>> {
        if self.version == Version::V1 {
            match self.exchange(questions, Version::V1).await {
                Err(status) if status.code() == Code::Unimplemented => {}
                answered => return answered.map_err(Failed::reflection),
            }
        }
        match self.exchange(questions, Version::V1Alpha).await {
            Ok(answers) => {
                self.version = Version::V1Alpha;
                Ok(answers)
            }
            Err(status) if status.code() == Code::Unimplemented => Err(NoReflection.into()),
            Err(status) => Err(Failed::reflection(status)),
        }
    }

    async fn exchange(
        &self,
        questions: &[MessageRequest],
        version: Version,
    ) -> farcall::Result<Vec<MessageResponse>> {
        let call: Pending<(Outbound<ServerReflectionRequest>, Inbound<ServerReflectionResponse>)> =
            match version {
                Version::V1 => {
                    ServerReflectionClient::new(self.channel.clone()).server_reflection_info()
                }
                Version::V1Alpha => stub::bidirectional(&self.channel, &V1ALPHA),
            };
        let (mut requests, mut replies) = self.headers.add_to(call).timeout(self.limit).await?;
        for question in questions {
            let request = ServerReflectionRequest {
                message_request: Some(question.clone()),
                ..Default::default()
            };
            requests.send(request).await?;
        }
        requests.finish().await?;
        let mut answers = Vec::with_capacity(questions.len());
        while let Some(reply) = replies.receive().await? {
            answers.extend(reply.message_response);
        }
        Ok(answers)
    }
}

/// The server says nothing about itself.
#[derive(Debug)]
pub(crate) struct NoReflection;

impl fmt::Display for NoReflection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the server has no reflection: say with --proto FILE or --descriptor-set FILE what it offers",
        )
    }
}

impl Error for NoReflection {}

/// Files by name, and what they import that is not there yet.
#[derive(Default)]
struct Files {
    found: BTreeMap<String, FileDescriptorProto>,
    /// Asked for already, or known to everybody.
    asked: BTreeSet<String>,
    bytes: usize,
}

impl Files {
    fn add(&mut self, encoded: &[Vec<u8>]) -> Result<(), Status> {
        for bytes in encoded {
            self.bytes += bytes.len();
            if self.bytes > MAX_BYTES || self.found.len() >= MAX_FILES {
                return Err(Status::resource_exhausted(format!(
                    "the server describes more than {MAX_FILES} files or {MAX_BYTES} bytes; \
                     name the one that is wanted, or use --proto"
                )));
            }
            let file = FileDescriptorProto::decode_from_slice(bytes).map_err(|error| {
                Status::internal(format!("the server's reflection: no descriptor: {error}"))
            })?;
            self.found.insert(file.name.clone().unwrap_or_default(), file);
        }
        Ok(())
    }

    /// Names of files that are still to be asked for. Servers mostly do not tell of those that come with protobuf.
    fn missing(&mut self) -> Vec<String> {
        let mut missing = BTreeSet::new();
        let mut google = Vec::new();
        let mut imports: Vec<_> = self.found.values().flat_map(|file| &file.dependency).collect();
        imports.sort_unstable();
        imports.dedup();
        for name in imports {
            if self.found.contains_key(name) || self.asked.contains(name) {
                continue;
            }
            match builtin::google_file(name) {
                Some(file) => google.push((name.clone(), file)),
                None => drop(missing.insert(name.clone())),
            }
        }
        self.asked.extend(missing.iter().cloned());
        if !google.is_empty() {
            self.found.extend(google);
            missing.extend(self.missing());
        }
        missing.into_iter().collect()
    }

    fn into_vec(self) -> Vec<FileDescriptorProto> {
        self.found.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, imports: &[&str]) -> Vec<u8> {
        let dependency = imports.iter().map(|&import| import.to_owned()).collect();
        let name = Some(name.to_owned());
        FileDescriptorProto { name, dependency, ..Default::default() }.encode_to_vec()
    }

    #[test]
    fn imports_are_asked_for_once_and_those_of_protobuf_never() {
        let mut files = Files::default();
        let imports = ["b.proto", "c.proto", "google/protobuf/type.proto"];
        files.add(&[file("a.proto", &imports), file("c.proto", &["b.proto"])]).unwrap();
        assert_eq!(files.missing(), ["b.proto"]);
        // The server does not know it.
        assert!(files.missing().is_empty());
        let names: Vec<_> = files.found.keys().map(String::as_str).collect();
        assert!(names.contains(&"google/protobuf/source_context.proto"), "{names:?}");
    }

    #[test]
    fn what_is_no_descriptor_is_told() {
        let status = Files::default().add(&[vec![0xff]]).unwrap_err();
        assert!(status.message().starts_with("the server's reflection: no descriptor"), "{status}");
    }
}
