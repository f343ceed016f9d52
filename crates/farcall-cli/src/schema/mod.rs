//! What the tool knows of somebody else's services and messages: descriptors, from the server's reflection, from .proto
//! files or from a compiled set.
//!
//! Everything else asks [`Schema`] and does not care where it has it from. It makes no call but those of reflection.

mod builtin;
mod files;
mod kinship;
mod names;
mod origin;
mod reflection;
mod request;

use std::sync::Arc;

use buffa_descriptor::generated::descriptor::FileDescriptorSet;
use buffa_descriptor::{DescriptorPool, MessageIndex};

pub(crate) use names::{MethodPath, Symbol, SymbolKind, message_name};
pub(crate) use origin::Origin;
pub(crate) use reflection::Reflection;
pub(crate) use request::{parse as parse_request, types_of_anys};

use crate::{Failure, Result};

/// Descriptors, linked with one another.
#[derive(Debug)]
pub(crate) struct Schema {
    pool: Arc<DescriptorPool>,
    /// Where more can be learned from.
    reflection: Option<Reflection>,
}

impl Schema {
    /// What the files say.
    ///
    /// # Errors
    /// A file cannot be read, or is not what it should be.
    pub(crate) fn from_files(origin: &Origin) -> Result<Self> {
        Ok(Self { pool: files::read(origin)?.into(), reflection: None })
    }

    /// What a server says of the first of `guesses` that it knows anything of; of all its services when there is none.
    ///
    /// # Errors
    /// The server cannot be asked, has no reflection, or its descriptors do not fit together.
    pub(crate) async fn from_server(
        mut reflection: Reflection,
        guesses: &[String],
    ) -> Result<Self> {
        let mut files = Vec::new();
        for guess in guesses {
            files = reflection.files_with(std::slice::from_ref(guess)).await?;
            if !files.is_empty() {
                break;
            }
        }
        if files.is_empty() {
            let services = reflection.services().await?;
            files = reflection.files_with(&services).await?;
        }
        let set = FileDescriptorSet { file: files, ..Default::default() };
        let pool = DescriptorPool::new(set).map_err(|error| {
            Failure::from(format!("the server's descriptors do not fit together: {error}"))
        })?;
        Ok(Self { pool: pool.into(), reflection: Some(reflection) })
    }

    /// The same once more, to learn for itself.
    pub(crate) fn fork(&self) -> Self {
        Self { pool: Arc::clone(&self.pool), reflection: self.reflection.clone() }
    }

    /// The descriptors.
    pub(crate) fn pool(&self) -> &Arc<DescriptorPool> {
        &self.pool
    }

    /// Finds out what it can about messages that only turned up in a `google.protobuf.Any`, and returns those that
    /// nothing can be found out about.
    pub(crate) async fn learn(&mut self, messages: Vec<String>) -> Vec<String> {
        let mut unknown = self.unknown(messages);
        if let Some(reflection) = &mut self.reflection
            && !unknown.is_empty()
            // Without an answer they stay unknown, which is what is told.
            && let Ok(file) = reflection.files_with(&unknown).await
        {
            self.add(FileDescriptorSet { file, ..Default::default() });
            unknown = self.unknown(unknown);
        }
        if !unknown.is_empty() {
            self.add(builtin::error_details());
            unknown = self.unknown(unknown);
        }
        unknown
    }

    /// Declares messages without fields, so that others in which they occur can be shown.
    pub(crate) fn declare_empty(&mut self, messages: &[String]) {
        for message in messages {
            self.add(builtin::empty_message(message));
        }
    }

    /// The message of that name, of those that every schema should have.
    pub(crate) fn well_known(&mut self, file: &str, message: &str) -> Option<MessageIndex> {
        if self.pool.message_index(message).is_none() {
            self.add(builtin::google(file)?);
        }
        self.pool.message_index(message)
    }

    fn unknown(&self, messages: Vec<String>) -> Vec<String> {
        let is_unknown = |name: &String| self.pool.message_index(name).is_none();
        messages.into_iter().filter(is_unknown).collect()
    }

    /// What does not fit to what is known already is not added.
    fn add(&mut self, set: FileDescriptorSet) {
        let mut pool = DescriptorPool::clone(&self.pool);
        if pool.add_file_descriptor_set(set).is_ok() {
            self.pool = pool.into();
        }
    }
}
