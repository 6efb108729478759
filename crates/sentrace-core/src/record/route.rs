//! Names that become known after the request has started: by its route, or as a gRPC call.

use sentrace_protocol::TransactionSource;

use super::{Name, Record, Share, Text};

impl Record {
    /// Sets the route of the recorded request, and names the transaction by it (`GET /users/{id}`)
    /// if it is named by its path or method. Names that were set explicitly stay.
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

    /// Names the transaction by the path of its gRPC call. Names that were set explicitly stay, and
    /// so does that of a route unless it is the call's own.
    pub(crate) fn set_rpc_name(&mut self, path: &str, source: TransactionSource) {
        if !self.request.is_some() {
            return;
        }
        let route = self.arena.get(self.request.route);
        let is_free = route.is_empty() || is_route_of(route, path);
        // A known route is at least as good as a method that may not exist.
        let is_better = route.is_empty() || source == TransactionSource::Route;
        if is_free && is_better && self.is_named_by_request() {
            // A transaction named by its method has a bounded name, which is better than one chosen
            // by a client.
            if source == TransactionSource::Url && self.is_named_by_method() {
                return;
            }
            self.make_room(path.len());
            let rest = self.arena.copy_for(Share::Name, path);
            self.name = Name { method: Text::EMPTY, rest };
            self.source = source;
        }
    }

    /// Names the transaction by method and path, if it has the name of a gRPC call that turned out
    /// to be none.
    pub(crate) fn set_path_name(&mut self) {
        if self.request.is_some() && self.is_named_by_path_alone() {
            self.name.method = self.request.method_in_names();
        }
    }

    /// Reverts the name of a gRPC call if the response shows that it was none. The client chose
    /// that name.
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

    /// Only names of the form `METHOD path` or `METHOD route` have two parts.
    fn is_named_by_path(&self) -> bool {
        self.arena.get(self.name.method) == self.arena.get(self.request.method_in_names())
    }

    fn is_named_by_method(&self) -> bool {
        self.arena.get(self.name.method).is_empty()
            && self.arena.get(self.name.rest) == self.arena.get(self.request.method_in_names())
            && self.source == TransactionSource::Url
    }

    /// What may be a gRPC call is named so until its response arrives.
    fn is_named_by_path_alone(&self) -> bool {
        self.arena.get(self.name.method).is_empty()
            && self.arena.get(self.name.rest) == self.arena.get(self.request.path)
            && self.source == TransactionSource::Url
    }
}

/// Returns `true` if a router serves this call at `route`: its own path, or tonic's
/// `/pkg.Service/{*rest}`.
fn is_route_of(route: &str, path: &str) -> bool {
    let service = path.rsplit_once('/').map_or(path, |(service, _)| service);
    route == path || route.strip_prefix(service) == Some("/{*rest}")
}
