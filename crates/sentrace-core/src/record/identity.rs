//! The identity of the reporting service.

use std::sync::{Mutex, PoisonError};

/// The identity of the reporting service, for payloads and for the dynamic sampling contexts of
/// traces that start here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) public_key: Option<String>,
    pub(crate) org_id: Option<String>,
    pub(crate) release: Option<String>,
    pub(crate) environment: String,
    pub(crate) server_name: Option<String>,
}

impl Identity {
    /// Returns a `'static` reference to an equal identity, so that records refer to it without
    /// counting. A process has one or two, regardless of the number of clients.
    pub(crate) fn interned(self) -> &'static Self {
        static KNOWN: Mutex<Vec<&'static Identity>> = Mutex::new(Vec::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = known.iter().find(|identity| ***identity == self) {
            return same;
        }
        let kept: &'static Self = Box::leak(Box::new(self));
        known.push(kept);
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_identities_are_kept_once() {
        let identity = |release: &str| Identity {
            public_key: None,
            org_id: None,
            release: Some(release.to_owned()),
            environment: "production".to_owned(),
            server_name: None,
        };
        let first = identity("shop@1").interned();
        assert!(std::ptr::eq(first, identity("shop@1").interned()));
        assert_eq!(identity("shop@2").interned(), &identity("shop@2"));
    }
}
