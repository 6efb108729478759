//! Access from any span to its transaction.

use sentrace_protocol::TransactionSource;

use crate::handle::span::SpanRef;
use crate::record::Record;
use crate::trace::state::SharedTrace;

impl SpanRef {
    /// Returns the transaction's own span. On that span, it returns the span itself.
    ///
    /// ```
    /// let span = sentrace_core::start_span("task", "apply discounts");
    /// span.transaction().set_tag("plan", "gold");
    /// ```
    #[must_use]
    pub fn transaction(&self) -> Self {
        self.trace().map_or_else(Self::none, |trace| Self::root(SharedTrace::clone(trace)))
    }

    /// Renames the transaction that this span belongs to. `source` is where the name comes from.
    /// `baggage` that was already sent keeps the old name.
    ///
    /// ```
    /// use sentrace_protocol::TransactionSource;
    ///
    /// sentrace_core::current_span().set_transaction_name("import prices", TransactionSource::Task);
    /// ```
    pub fn set_transaction_name(&self, name: impl AsRef<str>, source: TransactionSource) {
        let name = name.as_ref();
        self.with_transaction_record(|record| record.rename(name, source));
    }

    /// Sets the route of the transaction's request: `http.route`, and the name `GET /users/{id}` if
    /// the transaction is named by its path.
    ///
    /// This is for adapters whose router matches after the transaction has started. Names that were
    /// set explicitly stay. Does nothing if no request is recorded.
    pub fn set_route(&self, route: &str) {
        self.with_transaction_record(|record| record.set_route(route));
    }

    /// Names the transaction by the path of its gRPC call, `/pkg.Service/Method`.
    ///
    /// This is for adapters that recognize gRPC by the response. Names that were set explicitly
    /// stay, and so do those of other routes.
    pub fn set_rpc_name(&self, path: &str, source: TransactionSource) {
        self.with_transaction_record(|record| record.set_rpc_name(path, source));
    }

    /// Names the transaction `METHOD path`, if it is named by the path of its request alone.
    pub fn set_path_name(&self) {
        self.with_transaction_record(Record::set_path_name);
    }

    /// Reverts [`set_rpc_name`](Self::set_rpc_name) when the response had no gRPC status and so was
    /// not sent by a gRPC service. The route names the transaction again; without a route, the
    /// source of the name is `url`.
    pub fn clear_rpc_name(&self) {
        self.with_transaction_record(Record::clear_rpc_name);
    }

    fn with_transaction_record(&self, edit: impl FnOnce(&mut Record)) {
        let Some(trace) = self.trace() else { return };
        if let Some(record) = trace.live().record.as_deref_mut() {
            edit(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use sentrace_protocol::TransactionSource;

    use crate::adapter::RequestParts;
    use crate::testing::Capture;
    use crate::{DataCollection, Options, TransactionOptions};

    struct Get;

    impl RequestParts for Get {
        fn method(&self) -> &str {
            "GET"
        }
        fn scheme(&self) -> &str {
            "http"
        }
        fn host(&self) -> &str {
            ""
        }
        fn path(&self) -> &str {
            "/users/7"
        }
        fn query(&self) -> Option<&str> {
            None
        }
        fn route(&self) -> Option<&str> {
            None
        }
        fn protocol_version(&self) -> &'static str {
            "1.1"
        }
        fn for_each_header(&self, _: &mut dyn FnMut(&str, &[u8])) {}
    }

    #[test]
    fn a_route_names_what_was_named_by_path_or_method_and_nothing_else() {
        use TransactionSource::{Component, Route, Url};
        let rows = [
            (("GET", "/users/7"), Url, "GET /users/{id}", Route, "by path"),
            (("GET", "/{*rest}"), Route, "GET /users/{id}", Route, "by a route further out"),
            (("", "GET"), Url, "GET /users/{id}", Route, "by method, until a route is told"),
            (("", "GET"), Component, "GET", Component, "a chosen name that looks like a method"),
            (("", "checkout"), Url, "checkout", Url, "a chosen name"),
            (("", "/pkg.Service/Method"), Route, "/pkg.Service/Method", Route, "a call of gRPC"),
        ];
        for ((method, rest), source, name, told, reason) in rows {
            let (client, capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
            let collection = DataCollection::new();
            let options = TransactionOptions::new("", "http.server")
                .http_name(method, rest)
                .source(source)
                .request(&Get)
                .data_collection(&collection);
            let transaction = client.start_transaction_with(&options);
            transaction.start_span("task", "find the route").set_route("/users/{id}");
            transaction.finish();
            let captured = capture.take().remove(0).transaction;
            assert_eq!((&*captured.name, captured.source), (name, told), "{reason}");
            assert_eq!(captured.trace.data.get("http.route"), Some(&"/users/{id}".into()), "{reason}");
        }
    }

    #[test]
    fn without_a_request_or_after_the_end_there_is_no_route() {
        let (client, capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
        let transaction = client.start_transaction("GET /x", "task");
        transaction.set_route("/users/{id}");
        let late = transaction.transaction();
        transaction.finish();
        late.set_route("/users/{id}");
        late.set_transaction_name("too late", TransactionSource::Custom);
        let captured = capture.take().remove(0).transaction;
        assert_eq!(captured.name, "GET /x");
        assert!(captured.trace.data.is_empty());
    }

    #[test]
    fn any_span_leads_to_its_transaction() {
        let (client, capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
        let transaction = client.start_transaction("x", "task");
        let span = transaction.start_span("task", "a");
        let below = span.start_span("task", "b");
        assert_eq!(below.transaction().span_id(), transaction.span_id());
        below.set_transaction_name("import prices", TransactionSource::Task);
        drop((below, span));
        transaction.finish();
        let captured = capture.take().remove(0).transaction;
        assert_eq!((&*captured.name, captured.source), ("import prices", TransactionSource::Task));
        assert!(crate::SpanRef::default().transaction().is_none());
    }
}
