//! apalis jobs in Redis.

use serde_json::json;

use crate::program::{program, run};
use crate::redis_server::RedisServer;
use sentrace_tests::Ingest;

pub(crate) async fn each_attempt_at_a_job_of_apalis_is_in_the_trace_of_the_request() {
    let (redis, ingest) = (RedisServer::start(), Ingest::start());
    let mut signup = program(env!("CARGO_BIN_EXE_sentrace-example-apalis-redis"), &ingest, "signup");
    signup.env("REDIS_URL", redis.url());
    run(signup).await;

    let trace = ingest.trace(3).await;
    assert!(trace.summary.orphans == 0 && trace.summary.roots == 1, "{:#?}", trace.summary);
    let publish = trace.tree.iter().find(|node| node.op.as_deref() == Some("queue.publish")).unwrap();
    assert_eq!(trace.way_up(publish), ["queue.publish signup", "http.server signup"]);
    assert_eq!(publish.name, "send welcome", "both sides are told by the job");

    let mut attempts: Vec<_> =
        trace.transactions.iter().filter(|job| job.op.as_deref() == Some("queue.process")).collect();
    attempts.sort_by(|one, other| one.start.total_cmp(&other.start));
    let told: Vec<_> = attempts
        .iter()
        .map(|job| (&*job.name, job.status.as_deref(), &job.data["messaging.message.retry.count"]))
        .collect();
    let (first, second) = (json!(0), json!(1));
    let expected = [("send welcome", Some("internal_error"), &first), ("send welcome", Some("ok"), &second)];
    assert_eq!(told, expected);

    for job in attempts {
        assert_eq!(job.parent_span_id, Some(publish.span_id), "the message's own span is the parent");
        assert_eq!(job.source.as_deref(), Some("task"));
        assert_eq!(job.data["messaging.destination.name"], "mails");
        assert_eq!(job.data["messaging.system"], "redis");
        let latency = job.data["messaging.message.receive.latency"].as_f64().unwrap();
        assert!((0.0..60_000.0).contains(&latency), "{latency} ms");
        assert_eq!(job.spans.len(), 1, "what the job does is in it");
        let id = &trace.transactions[publish.transaction].spans[publish.span.unwrap()].data["messaging.message.id"];
        assert_eq!(&job.data["messaging.message.id"], id);
    }
    ingest.assert_no_problems();
}
