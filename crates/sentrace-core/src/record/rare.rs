//! What few records have, in a box of its own: most records pay a look at a pointer.

use std::sync::Arc;

use super::content::ContentCollection;
use super::headers::Headers;
use super::link::LinkEntry;
use super::scope::ScopeEntries;

#[derive(Debug, Default)]
pub(crate) struct Rare {
    pub(super) links: Vec<LinkEntry>,
    /// Bytes of the links' texts.
    pub(super) link_bytes: usize,
    pub(super) response_headers: Headers,
    /// Which content may be sent, if not all.
    pub(super) content: Option<ContentCollection>,
    /// What the trace and the client add, the nearest first.
    pub(super) scopes: Vec<Arc<ScopeEntries>>,
}

impl Rare {
    /// About how many bytes it holds in memory.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>()
            + self.links.capacity() * size_of::<LinkEntry>()
            + self.link_bytes
            + self.response_headers.capacity()
    }
}
