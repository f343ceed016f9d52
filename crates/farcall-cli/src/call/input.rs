//! The requests: from the command line or from standard input, one after the other.

use std::collections::VecDeque;

use tokio::io::{AsyncReadExt as _, Stdin};

use crate::Result;
use crate::values::{Text, Values};

/// Bytes of one read: as much as a pipe gives at once.
const READ_BYTES: usize = 64 * 1024;

/// Where requests come from.
#[derive(Debug)]
pub(super) struct Input {
    source: Source,
    values: Values,
    ready: VecDeque<Text>,
}

#[derive(Debug)]
enum Source {
    /// The text of the command line; none when it has been read.
    Given(Option<String>),
    /// Nothing was given to a method that takes one request.
    Nothing,
    Standard(Stdin),
}

impl Input {
    /// What the command line says; `streams` tells whether the method takes any number of requests.
    pub(super) fn new(data: Option<&str>, streams: bool) -> Self {
        let source = match data {
            Some("-") => Source::Standard(tokio::io::stdin()),
            Some(text) => Source::Given(Some(text.to_owned())),
            None if streams => Source::Standard(tokio::io::stdin()),
            None => Source::Nothing,
        };
        Self { source, values: Values::default(), ready: VecDeque::new() }
    }

    /// What the input is called.
    pub(super) fn name(&self) -> &'static str {
        match self.source {
            Source::Standard(_) => "standard input",
            Source::Given(_) | Source::Nothing => "DATA",
        }
    }

    /// The next request; none when there is no more.
    ///
    /// # Errors
    /// The input cannot be read or is no text.
    pub(super) async fn next(&mut self) -> Result<Option<Text>> {
        loop {
            if let Some(text) = self.ready.pop_front() {
                return Ok(Some(text));
            }
            let name = self.name();
            let with_name = |problem: String| format!("{name}, {problem}");
            let bytes = self.read().await?;
            if bytes.is_empty() {
                return Ok(self.values.finish().map_err(with_name)?);
            }
            self.ready.extend(self.values.push(&bytes).map_err(with_name)?);
        }
    }

    /// The one request of a method that takes one; an empty message when nothing is given.
    ///
    /// # Errors
    /// As of [`Input::next`]; and when there are several.
    pub(super) async fn only(&mut self) -> Result<Text> {
        let Some(text) = self.next().await? else {
            return Ok(Text { json: "{}".to_owned(), line: 1, indent: 0 });
        };
        if let Some(second) = self.next().await? {
            let (name, Text { line, indent, .. }) = (self.name(), second);
            let column = indent + 1;
            return Err(format!(
                "{name}, line {line}, column {column}: the method takes one request, and this is a second"
            )
            .into());
        }
        Ok(text)
    }

    async fn read(&mut self) -> Result<Vec<u8>> {
        match &mut self.source {
            Source::Given(text) => Ok(text.take().unwrap_or_default().into_bytes()),
            Source::Nothing => Ok(Vec::new()),
            Source::Standard(stdin) => {
                let mut bytes = vec![0; READ_BYTES];
                let read = stdin.read(&mut bytes).await?;
                bytes.truncate(read);
                Ok(bytes)
            }
        }
    }
}
