//! tonic's metadata as a carrier, for people without the layers.

use sentrace_core::TraceHeaders;
use tonic::metadata::{AsciiMetadataKey, MetadataMap};

use crate::support::recording;

#[test]
fn metadata_is_a_carrier_as_it_is() {
    let (client, _) = recording();
    let sent: TraceHeaders = client.start_transaction("work", "task").trace_headers().unwrap();
    // As an interceptor of a tonic client does it.
    let mut metadata = MetadataMap::new();
    for (name, value) in sent.clone() {
        metadata.insert(AsciiMetadataKey::from_static(name), value.parse().unwrap());
    }
    let request = tonic::Request::from_parts(metadata, tonic::Extensions::default(), ());
    let trace = client.continue_trace(request.metadata().as_ref());
    assert_eq!(trace.trace_headers(), Some(sent), "without a copy of it");
}
