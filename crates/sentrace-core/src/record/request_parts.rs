//! The parts of an incoming request that are recorded.

use std::net::IpAddr;

use crate::record::HeaderRecorder;

/// The parts of a request that are recorded, and that a sampler may look at.
///
/// Adapters implement this for their own request type, by reference: the parts are copied, not
/// kept.
pub trait RequestParts {
    /// Returns the method as received. One that is not [known](sentrace_protocol::http_method) is
    /// recorded as `_OTHER`.
    fn method(&self) -> &str;
    /// Returns `http` or `https`.
    fn scheme(&self) -> &str;
    /// Returns host and port as the client wrote them, without userinfo, or an empty string if
    /// unknown.
    fn host(&self) -> &str;
    /// Returns `true` if [`host`](Self::host) is the value of the first header field `host`, so
    /// that one of them need not be copied.
    fn has_host_in_header(&self) -> bool {
        false
    }
    /// Returns the port that the client used, if [`host`](Self::host) does not contain it, as
    /// behind a proxy.
    fn port(&self) -> Option<u16> {
        None
    }
    /// Returns the raw path.
    fn path(&self) -> &str;
    /// Returns the query without its `?`.
    fn query(&self) -> Option<&str>;
    /// Returns the route's template (`/users/{id}`), if the router has set it.
    fn route(&self) -> Option<&str>;
    /// Returns `1.1`, `2` or `3`, as in OpenTelemetry's `network.protocol.version`.
    fn protocol_version(&self) -> &'static str;
    /// Calls `each` with every header field: its lower-case name and its raw value.
    fn for_each_header(&self, each: &mut dyn FnMut(&str, &[u8]));
    /// Passes every header field to `recorder`. Adapters on a hot path implement this loop
    /// themselves over concrete types, which saves a call per field.
    fn record_headers(&self, recorder: &mut HeaderRecorder<'_>) {
        self.for_each_header(&mut |name, value| recorder.push(name, value));
    }
    /// Returns the address of the client, beyond any proxies, or `None` if unknown. Only called if
    /// it may be recorded: [`DataCollection::user_info`](crate::DataCollection::user_info).
    fn client_address(&self) -> Option<IpAddr> {
        None
    }
}
