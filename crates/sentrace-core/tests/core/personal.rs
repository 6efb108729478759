//! Personal data in the recorded parts of a request.

use std::sync::Arc;

use sentrace_core::adapter::RequestParts;
use sentrace_core::deliver::Losses;
use sentrace_core::testing::Capture;
use sentrace_core::{Client, DataCollection, Options, TransactionOptions};

use crate::support::only;

struct Proxied;

impl RequestParts for Proxied {
    fn method(&self) -> &str {
        "GET"
    }
    fn scheme(&self) -> &str {
        "https"
    }
    fn host(&self) -> &str {
        "shop.test"
    }
    fn path(&self) -> &str {
        "/"
    }
    fn query(&self) -> Option<&str> {
        Some("via=post&token=hush")
    }
    fn route(&self) -> Option<&str> {
        None
    }
    fn protocol_version(&self) -> &'static str {
        "1.1"
    }
    fn for_each_header(&self, each: &mut dyn FnMut(&str, &[u8])) {
        each("x-forwarded-for", b"203.0.113.7");
        each("authorization", b"Bearer hush");
    }
}

#[test]
fn it_is_shown_where_only_this_machine_looks_but_secrets_never_are() {
    for (here_alone, shown) in [(false, false), (true, true)] {
        let capture = Arc::<Capture>::default();
        let (options, losses) = (Options::new().traces_sample_rate(1.0), Arc::new(Losses::default()));
        let client = if here_alone {
            Client::recording_everything(options, capture.clone(), losses).unwrap()
        } else {
            Client::new(options, capture.clone(), losses).unwrap()
        };
        let collection = DataCollection::new();
        let options =
            TransactionOptions::new("GET /", "http.server").request(&Proxied).data_collection(&collection);
        client.start_transaction_with(&options).finish();
        let json = serde_json::to_string(&only(&capture).transaction).unwrap();
        assert_eq!(json.contains("203.0.113.7"), shown, "the address: {json}");
        assert_eq!(json.contains("via=post"), shown, "the query: {json}");
        assert!(!json.contains("hush"), "{json}");
    }
}
