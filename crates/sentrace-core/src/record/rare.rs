//! What few records have, in a box of its own: most records pay a look at a pointer.

use super::link::LinkEntry;

#[derive(Debug, Default)]
pub(crate) struct Rare {
    pub(super) links: Vec<LinkEntry>,
    /// Bytes of the links' texts.
    pub(super) link_bytes: usize,
}

impl Rare {
    /// About how many bytes it holds in memory.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.links.capacity() * size_of::<LinkEntry>() + self.link_bytes
    }
}
