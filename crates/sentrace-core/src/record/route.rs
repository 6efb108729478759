//! Names that are known only after the request has begun: by its route, or as a call of gRPC.

use sentrace_protocol::TransactionSource;

use super::{Name, Record, Share, Text};

impl Record {
    /// Notes the route of the recorded request, and names the transaction by it (`GET /users/{id}`) where it was named
    /// by its path or its method until now. A name that somebody has chosen stays.
    pub(crate) fn set_route(&mut self, route: &str) {
        if !self.request.is_some() {
            return;
        }
        self.make_room(2 * route.len());
        self.request.set_route(&mut self.arena, route);
        if self.is_named_by_request() {
            let rest = self.arena.copy_for(Share::Name, route);
            self.name = Name { method: self.request.method_in_names(), rest };
            self.source = TransactionSource::Route;
        }
    }

    /// Names the transaction by the path of its gRPC call. A name that somebody has chosen stays, and so does that of a
    /// route unless it is the call's own.
    pub(crate) fn set_rpc_name(&mut self, path: &str, source: TransactionSource) {
        if !self.request.is_some() {
            return;
        }
        let route = self.arena.get(self.request.route);
        let is_free = route.is_empty() || is_route_of(route, path);
        // A route that is known names at least as well as a method that may not exist.
        let is_better = route.is_empty() || source == TransactionSource::Route;
        if is_free && is_better && self.is_named_by_request() {
            // Named by its method alone, it has a bounded name, which is better than one that a client has chosen.
            if source == TransactionSource::Url && self.is_named_by_method() {
                return;
            }
            self.make_room(path.len());
            let rest = self.arena.copy_for(Share::Name, path);
            self.name = Name { method: Text::EMPTY, rest };
            self.source = source;
        }
    }

    /// Names the transaction by method and path, if it has the name of a gRPC call that it turned out not to be.
    pub(crate) fn set_path_name(&mut self) {
        if self.request.is_some() && self.is_named_by_path_alone() {
            self.name.method = self.request.method_in_names();
        }
    }

    /// Takes back the name of a gRPC call where the answer turned out to be none: then a client has chosen it.
    pub(crate) fn clear_rpc_name(&mut self) {
        let is_rpc_name = self.arena.get(self.name.method).is_empty()
            && self.arena.get(self.name.rest) == self.arena.get(self.request.path)
            && self.source == TransactionSource::Route;
        if !self.request.is_some() || !is_rpc_name {
            return;
        }
        if self.arena.get(self.request.route).is_empty() {
            self.source = TransactionSource::Url;
        } else {
            self.name = Name { method: self.request.method_in_names(), rest: self.request.route };
        }
    }

    fn is_named_by_request(&self) -> bool {
        self.is_named_by_path() || self.is_named_by_method() || self.is_named_by_path_alone()
    }

    /// Only what was named `METHOD path`, or `METHOD route`, has its name in two parts.
    fn is_named_by_path(&self) -> bool {
        self.arena.get(self.name.method) == self.arena.get(self.request.method_in_names())
    }

    fn is_named_by_method(&self) -> bool {
        self.arena.get(self.name.method).is_empty()
            && self.arena.get(self.name.rest) == self.arena.get(self.request.method_in_names())
            && self.source == TransactionSource::Url
    }

    /// As what may be a call of gRPC is, until its answer comes.
    fn is_named_by_path_alone(&self) -> bool {
        self.arena.get(self.name.method).is_empty()
            && self.arena.get(self.name.rest) == self.arena.get(self.request.path)
            && self.source == TransactionSource::Url
    }
}

/// Whether a router serves this call at `route`: at its own path, or at tonic's `/pkg.Service/{*rest}`.
fn is_route_of(route: &str, path: &str) -> bool {
    let service = path.rsplit_once('/').map_or(path, |(service, _)| service);
    route == path || route.strip_prefix(service) == Some("/{*rest}")
}
