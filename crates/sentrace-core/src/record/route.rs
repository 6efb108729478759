//! A route that is told after the request has begun.

use sentrace_protocol::TransactionSource;

use super::{Record, Text};

impl Record {
    /// Notes the route of the recorded request, and names the transaction by it (`GET /users/{id}`) where it was named
    /// by its path or its method until now. A name that somebody has chosen stays.
    pub(crate) fn set_route(&mut self, route: &str) {
        if !self.request.is_some() {
            return;
        }
        self.request.set_route(&mut self.arena, route);
        let method = self.request.method;
        if self.is_named_by_path(method) || self.is_named_by_method(method) {
            let Some(rest) = self.arena.copy_important(route) else { return };
            self.name = super::Name { method, rest };
            self.source = TransactionSource::Route;
        }
    }

    /// Only what was named `METHOD path`, or `METHOD route`, has its name in two parts.
    fn is_named_by_path(&self, method: Text) -> bool {
        self.arena.get(self.name.method) == self.arena.get(method)
    }

    fn is_named_by_method(&self, method: Text) -> bool {
        self.arena.get(self.name.method).is_empty()
            && self.arena.get(self.name.rest) == self.arena.get(method)
            && self.source == TransactionSource::Url
    }
}
