//! Records are reused; nothing of one transaction may appear in another.

use sentrace_core::adapter::{RequestParts, ResponseParts};
use sentrace_core::{DataCollection, TransactionOptions};

use crate::support::{only, recording};

struct Secretive;

impl RequestParts for Secretive {
    fn method(&self) -> &str {
        "GET"
    }
    fn scheme(&self) -> &str {
        "https"
    }
    fn host(&self) -> &str {
        "first.test"
    }
    fn path(&self) -> &str {
        "/first"
    }
    fn query(&self) -> Option<&str> {
        Some("first=1")
    }
    fn route(&self) -> Option<&str> {
        Some("/{first}")
    }
    fn protocol_version(&self) -> &'static str {
        "1.1"
    }
    fn for_each_header(&self, each: &mut dyn FnMut(&str, &[u8])) {
        each("x-first", b"first");
    }
}

#[test]
fn a_recycled_record_is_as_good_as_new() {
    let (client, capture) = recording();
    let collection = DataCollection::new();
    let options = TransactionOptions::new("first", "first").request(&Secretive).data_collection(&collection);
    let first = client.start_transaction_with(&options);
    first.set_data("first", "first");
    first.set_tag("first", "first");
    let span = first.start_span("first", "first");
    span.set_data("first", "first");
    let open = first.start_span("first", "first");
    first.finish_with_response(&ResponseParts { status: Some(404), ..ResponseParts::default() });
    let first = only(&capture);
    assert!(serde_json::to_string(&first.transaction).unwrap().contains("first.test"));

    let second = client.start_transaction("second", "task");
    second.start_span("task", "below").finish();
    // Handles of the first transaction's spans must not reach the second, which has their record.
    span.set_data("first", "again");
    open.set_tag("first", "again");
    drop((span, open));
    second.finish();
    let second = only(&capture);
    let json = serde_json::to_string(&second.transaction).unwrap();
    assert!(!json.contains("first"), "{json}");
    assert_ne!(second.transaction.event_id, first.transaction.event_id);
    assert_ne!(second.transaction.trace.trace_id, first.transaction.trace.trace_id);
}
