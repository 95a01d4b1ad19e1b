//! YAML text as a tree that knows where each part stands.
//!
//! Plain scalars mean what they mean to Helm and kubectl, which read YAML by the rules of version 1.1: `yes` is
//! a boolean, `0755` is 493. The only module that knows the parser. It must not know what a document means, and
//! its errors must not repeat text of the document: a line may hold a password.

mod at;
mod node;
mod reader;
mod scalar;
mod syntax;

pub use at::{At, Step};
pub use node::{Data, Entry, Map, Node, Point, Span};
use reader::read;
pub(crate) use reader::{Strictness, read_all};

/// The lines of a text as YAML counts them: a carriage return alone ends one too.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// Deepest nesting of lists and maps.
pub const MAX_DEPTH: usize = 100;

/// Why a text is not YAML that can be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{span}: {message}")]
pub struct Error {
    /// Where reading stopped.
    pub span: Span,
    /// What is wrong there, without any text of the document except names of keys.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Reads every document of a stream, such as rendered manifests. Documents without content are left out.
///
/// `name` is what positions call the source. Errors on text that is not YAML, keys that occur twice, aliases
/// that grow beyond reason, and nesting deeper than [`MAX_DEPTH`].
pub fn documents(name: &str, text: &str) -> Result<Vec<Node>, Error> {
    let mut documents = read(name, text, Strictness::AsKubectl)?;
    documents.retain(|document| !matches!(document.data, Data::Null));
    Ok(documents)
}
