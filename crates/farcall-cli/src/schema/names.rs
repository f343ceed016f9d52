//! Which method or type a name means that somebody typed: the full one, or its last parts when only one name ends so.

use buffa_descriptor::generated::descriptor::method_options::IdempotencyLevel;
use buffa_descriptor::{DescriptorPool, MessageDescriptor, MessageIndex, MethodDescriptor};
use farcall::{Idempotency, Kind, Method};

use super::{Schema, kinship};
use crate::{Failure, Result};

/// Names that an error lists when none is like the one that was typed.
const LISTED: usize = 12;

/// A method that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodPath {
    pub(crate) method: &'static Method,
    pub(crate) input: MessageIndex,
    pub(crate) output: MessageIndex,
}

/// Something that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    /// With its package; a method behind a slash.
    pub(crate) name: String,
    pub(crate) kind: SymbolKind,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SymbolKind {
    Service,
    Method,
    Message,
    Enum,
}

impl Symbol {
    /// The names under which a server may know of what was typed, the likeliest first: of a method its service.
    pub(crate) fn guesses(typed: &str) -> Vec<String> {
        let typed = typed.trim_start_matches(['.', '/']);
        if let Some((service, _)) = typed.split_once('/') {
            return vec![service.to_owned()];
        }
        let parent = typed.rsplit_once('.').map(|(parent, _)| parent.to_owned());
        let mut guesses = vec![typed.to_owned()];
        // A package is no symbol, and all of its services are wanted then.
        guesses.extend(parent.filter(|parent| parent.contains('.')));
        guesses
    }
}

impl Schema {
    /// The method that `typed` means.
    ///
    /// # Errors
    /// None is called so, or several are; with the names that may have been meant.
    pub(crate) fn method(&self, typed: &str) -> Result<MethodPath> {
        let methods = self.symbols(|kind| kind == SymbolKind::Method);
        match matching(typed, &methods).as_slice() {
            [] => Err(self.no_method(typed, &methods)),
            [one] => self.method_path(&one.name).ok_or_else(|| self.no_method(typed, &methods)),
            several => Err(ambiguous(typed, several)),
        }
    }

    /// What `typed` means: a service, a method, a message or an enum.
    ///
    /// # Errors
    /// As of [`Schema::method`].
    pub(crate) fn symbol(&self, typed: &str) -> Result<Symbol> {
        let all = self.symbols(|_| true);
        let mut found = matching(typed, &all);
        // A method may be called like its service, as `echo.v1.Echo/Echo`; it is not what is asked for first.
        if found.iter().any(|symbol| symbol.kind != SymbolKind::Method) {
            found.retain(|symbol| symbol.kind != SymbolKind::Method);
        }
        match found.as_slice() {
            [] => Err(unknown("symbol", typed, &all)),
            [one] => Ok((*one).clone()),
            several => Err(ambiguous(typed, several)),
        }
    }

    /// The service that `typed` means.
    ///
    /// # Errors
    /// As of [`Schema::method`].
    pub(crate) fn service(&self, typed: &str) -> Result<Symbol> {
        let services = self.symbols(|kind| kind == SymbolKind::Service);
        match matching(typed, &services).as_slice() {
            [] => Err(unknown("service", typed, &services)),
            [one] => Ok((*one).clone()),
            several => Err(ambiguous(typed, several)),
        }
    }

    /// Everything of the kinds that are wanted, sorted by name.
    pub(crate) fn symbols(&self, wanted: impl Fn(SymbolKind) -> bool) -> Vec<Symbol> {
        let pool = self.pool();
        let mut symbols = Vec::new();
        let mut add = |name: String, kind| {
            if wanted(kind) {
                symbols.push(Symbol { name, kind });
            }
        };
        for service in pool.services() {
            add(service.full_name().to_owned(), SymbolKind::Service);
            for method in service.methods() {
                add(format!("{}/{}", service.full_name(), method.name()), SymbolKind::Method);
            }
        }
        for message in pool.messages().iter().filter(|message| !is_map_entry(message)) {
            add(message.full_name().to_owned(), SymbolKind::Message);
        }
        for item in pool.enums() {
            add(item.full_name().to_owned(), SymbolKind::Enum);
        }
        symbols.sort_by(|one, other| one.name.cmp(&other.name));
        symbols
    }

    /// The method of that full name: `greet.v1.Greeter/SayHello`.
    pub(crate) fn method_path(&self, name: &str) -> Option<MethodPath> {
        let (service, name) = name.split_once('/')?;
        let method = self.pool().service_by_name(service)?.method(name)?;
        Some(MethodPath {
            method: described(service, method),
            input: method.input(),
            output: method.output(),
        })
    }

    fn no_method(&self, typed: &str, methods: &[Symbol]) -> Failure {
        let services = self.symbols(|kind| kind == SymbolKind::Service);
        if let [service] = matching(typed, &services).as_slice() {
            let of_it = methods
                .iter()
                .filter_map(|method| method.name.strip_prefix(&service.name)?.strip_prefix('/'));
            let of_it: Vec<_> = of_it.collect();
            return format!(
                "{} is a service; which of its methods: {}?",
                service.name,
                kinship::either(&of_it)
            )
            .into();
        }
        unknown("method", typed, methods)
    }
}

/// The runtime wants what it is told of a method to last as long as the process, which has one method and then ends.
fn described(service: &str, method: &MethodDescriptor) -> &'static Method {
    let level = method.options().and_then(|options| options.idempotency_level);
    let leak = |text: String| -> &'static str { text.leak() };
    Box::leak(Box::new(Method {
        service: leak(service.to_owned()),
        name: leak(method.name().to_owned()),
        path: leak(format!("/{service}/{}", method.name())),
        kind: match (method.is_client_streaming(), method.is_server_streaming()) {
            (false, false) => Kind::Unary,
            (true, false) => Kind::ClientStreaming,
            (false, true) => Kind::ServerStreaming,
            (true, true) => Kind::Bidirectional,
        },
        idempotency: match level {
            Some(IdempotencyLevel::NO_SIDE_EFFECTS) => Idempotency::NoSideEffects,
            Some(IdempotencyLevel::IDEMPOTENT) => Idempotency::Idempotent,
            _ => Idempotency::Unknown,
        },
    }))
}

fn is_map_entry(message: &MessageDescriptor) -> bool {
    message.options().and_then(|options| options.map_entry) == Some(true)
}

/// The symbol of exactly that name, or else all that end with it.
fn matching<'a>(typed: &str, symbols: &'a [Symbol]) -> Vec<&'a Symbol> {
    let typed = typed.trim_start_matches(['.', '/']).replace('/', ".");
    let mut ending = Vec::new();
    for symbol in symbols {
        let name = symbol.name.replace('/', ".");
        if name == typed {
            return vec![symbol];
        }
        if name.strip_suffix(typed.as_str()).is_some_and(|rest| rest.ends_with('.')) {
            ending.push(symbol);
        }
    }
    ending
}

fn ambiguous(typed: &str, symbols: &[&Symbol]) -> Failure {
    let mut names: Vec<_> = symbols.iter().map(|symbol| symbol.name.as_str()).collect();
    let count = names.len();
    if count > LISTED {
        names.truncate(LISTED);
        return format!("{typed} may mean {} and {} more", names.join(", "), count - LISTED).into();
    }
    format!("{typed} may mean {}", kinship::either(&names)).into()
}

fn unknown(what: &str, typed: &str, symbols: &[Symbol]) -> Failure {
    let names = || symbols.iter().map(|symbol| symbol.name.as_str());
    if let Some(question) = kinship::question(&kinship::nearest(typed, names())) {
        return format!("no {what} is called {typed}: {question}").into();
    }
    let mut listed: Vec<_> = names().take(LISTED).collect();
    if symbols.len() > LISTED {
        listed.push("...");
    }
    if listed.is_empty() {
        return format!("no {what} is called {typed}: there is none at all").into();
    }
    format!("no {what} is called {typed}: there is {}", listed.join(", ")).into()
}

/// What a message is called.
pub(crate) fn message_name(pool: &DescriptorPool, message: MessageIndex) -> &str {
    pool.message(message).full_name()
}
