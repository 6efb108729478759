//! A Redis stream without a job library.

use serde_json::json;

use crate::program::{program, run};
use crate::redis_server::RedisServer;
use sentrace_tests::Ingest;

pub(crate) async fn a_message_of_a_stream_is_tried_again_in_its_trace() {
    let (redis, ingest) = (RedisServer::start(), Ingest::start());
    let mut orders = program(env!("CARGO_BIN_EXE_sentrace-example-redis-stream"), &ingest, "orders");
    orders.env("REDIS_URL", redis.url());
    run(orders).await;

    let trace = ingest.trace(3).await;
    assert!(trace.summary.orphans == 0 && trace.summary.roots == 1, "{:#?}", trace.summary);
    let settle = trace.tree.iter().find(|node| node.op.as_deref() == Some("queue.settle")).unwrap();
    let way = trace.way_up(settle);
    assert_eq!(way, ["queue.settle orders", "queue.process orders", "queue.publish orders", "task orders"]);

    let mut attempts: Vec<_> = trace.transactions.iter().filter(|job| job.name == "bill order").collect();
    attempts.sort_by(|one, other| one.start.total_cmp(&other.start));
    let told: Vec<_> = attempts
        .iter()
        .map(|job| (job.status.as_deref(), &job.data["messaging.message.retry.count"]))
        .collect();
    let (first, second) = (json!(0), json!(1));
    assert_eq!(told, [(Some("internal_error"), &first), (Some("ok"), &second)]);
    let latencies: Vec<_> =
        attempts.iter().map(|job| job.data["messaging.message.receive.latency"].as_f64().unwrap()).collect();
    assert!(latencies[1] >= latencies[0] + 20.0, "{latencies:?}: the second attempt came 20 ms later");
    assert_eq!(attempts[0].data["messaging.message.id"], attempts[1].data["messaging.message.id"]);
    assert_eq!(attempts[0].data["messaging.message.body.size"], 24);
    ingest.assert_no_problems();
}
