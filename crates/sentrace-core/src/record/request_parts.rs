//! What the pipeline asks of an incoming request, whatever HTTP library it came from.

use std::net::IpAddr;

use crate::record::HeaderRecorder;

/// The parts of a request that are recorded and that a sampler may look at.
///
/// Adapters implement it over their own request type, borrowed: nothing of it is kept, only copied.
pub trait RequestParts {
    /// `GET`, as it came. One that is not [known](sentrace_protocol::http_method) is recorded as `_OTHER`.
    fn method(&self) -> &str;
    /// `http` or `https`.
    fn scheme(&self) -> &str;
    /// Host and port as the client wrote them, without userinfo; empty where unknown.
    fn host(&self) -> &str;
    /// Whether [`host`](Self::host) only repeats the first header field `host`, so that one of them need not be copied.
    fn has_host_in_header(&self) -> bool {
        false
    }
    /// The port that the client asked for, if [`host`](Self::host) does not say it: behind a proxy.
    fn port(&self) -> Option<u16> {
        None
    }
    /// The raw path.
    fn path(&self) -> &str;
    /// The query without its `?`.
    fn query(&self) -> Option<&str>;
    /// The route's template (`/users/{id}`), where the router has told it.
    fn route(&self) -> Option<&str>;
    /// `1.1`, `2` or `3`, as OpenTelemetry's `network.protocol.version`.
    fn protocol_version(&self) -> &'static str;
    /// Calls `each` with every header field: its lower-case name and its raw value.
    fn for_each_header(&self, each: &mut dyn FnMut(&str, &[u8]));
    /// Gives `recorder` every header field. Adapters on the way of every request write the loop themselves, over fields that
    /// the compiler knows: that saves a call for each.
    fn record_headers(&self, recorder: &mut HeaderRecorder<'_>) {
        self.for_each_header(&mut |name, value| recorder.push(name, value));
    }
    /// The address of the client, past the proxies in between; `None` where it is not known. Asked only where it may be
    /// recorded: [`DataCollection::user_info`](crate::DataCollection::user_info).
    fn client_address(&self) -> Option<IpAddr> {
        None
    }
}
