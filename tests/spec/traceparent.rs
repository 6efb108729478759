//! `traceparent` is sent under the same conditions as the other headers.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use http::HeaderMap;
use sentrace::{Options, Origin, testing::Capture};
use sentrace_tests::{in_time, plain_http, serve};

const NAMES: [&str; 3] = ["sentry-trace", "baggage", "traceparent"];

#[tokio::test]
async fn it_goes_only_where_it_is_asked_for_and_the_origins_allow_it() {
    let received: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let base = {
        let received = Arc::clone(&received);
        let keep = move |request: Request| {
            let received = Arc::clone(&received);
            async move { received.lock().unwrap().push(request.headers().clone()) }
        };
        serve(Router::new().fallback(keep)).await
    };
    let foreign = base.replace("127.0.0.1", "localhost");
    assert_ne!(base, foreign);
    let rows = [
        (true, &base, [true, true, true], "asked for, allowed"),
        (true, &foreign, [false, false, false], "asked for, foreign"),
        (false, &base, [true, true, false], "not asked for, allowed"),
        (false, &foreign, [false, false, false], "not asked for, foreign"),
    ];
    for (asked, base, expected, reason) in rows {
        let options = Options::new().traces_sample_rate(1.0).propagate_traceparent(asked);
        let (client, _) = Capture::client(options.tracing_origins([Origin::host("127.0.0.1")])).unwrap();
        let http = sentrace::reqwest::client(plain_http()).unwrap().client(client.clone()).build();
        let transaction = client.start_transaction("work", "task");
        let answer = in_time(transaction.scope(http.get(base).send())).await.unwrap();
        assert_eq!(answer.status(), 200);
        let [headers] = &std::mem::take(&mut *received.lock().unwrap())[..] else {
            panic!("one request: {reason}")
        };
        assert_eq!(NAMES.map(|name| headers.contains_key(name)), expected, "{reason}");
        if let Some(sent) = headers.get("traceparent") {
            let sentry_trace = headers["sentry-trace"].to_str().unwrap();
            let expected = format!("00-{}-01", sentry_trace.strip_suffix("-1").unwrap());
            assert_eq!(sent.to_str().unwrap(), expected, "{reason}");
        }
    }
}
