//! The lines from parents to children in a tree that is drawn row by row.

use crate::model::Node;

/// Iterates over the rows of a tree and tracks which lines continue below each of them.
pub(crate) struct Guides {
    has_next_sibling: Vec<bool>,
    open: Vec<bool>,
    row: usize,
}

impl Guides {
    pub(crate) fn new(tree: &[Node]) -> Self {
        let mut has_next_sibling = vec![false; tree.len()];
        let mut seen_child = vec![false; tree.len()];
        for (index, node) in tree.iter().enumerate().rev() {
            if let Some(parent) = node.parent {
                has_next_sibling[index] = std::mem::replace(&mut seen_child[parent], true);
            }
        }
        Self { has_next_sibling, open: Vec::new(), row: 0 }
    }

    /// Returns the lines left of the next row, outermost first: `true` if the line continues below.
    /// The last one leads to the row itself. A root has none.
    pub(crate) fn next(&mut self, node: &Node) -> &[bool] {
        self.open.truncate(node.depth);
        self.open.push(self.has_next_sibling.get(self.row).copied().unwrap_or_default());
        self.row += 1;
        self.open.get(1..).unwrap_or_default()
    }
}
