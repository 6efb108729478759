//! The head of an outgoing request, for hooks.

use http::{Extensions, HeaderMap, Method, Request, Uri};

/// The head of an outgoing request, borrowed for a hook of the layer.
#[derive(Debug, Clone, Copy)]
pub struct CallHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> CallHead<'a> {
    pub(super) fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// Returns the method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Returns the target as the client was given it.
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// Returns the header fields.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// Returns the extensions that the caller added.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }
}
