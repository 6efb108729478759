//! An outgoing request without its body, as hooks see it.

use http::{Extensions, HeaderMap, Method, Request, Uri};

/// The head of an outgoing request, for hooks of the layer: it is borrowed, nothing of it is kept.
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

    /// The method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The target, as the client was given it.
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The header fields.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// What the caller attached to the request.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }
}
