//! Queues, in JavaScript's names: Kafka's and SQS's are those of any broker.

use sentrace::job::{Process, Publish};
use sentrace::protocol::SentryTrace;
use sentrace::testing::CapturedSpan;

use super::recorded::{expect, instrumented, streaming};
use super::{Row, open, row};

/// The spans of both sides.
fn message(queue: &str, system: &str, job: &str) -> (CapturedSpan, CapturedSpan) {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("work", "task");
    let (span, trace) = transaction.enter(|| Publish::to(queue).system(system).start());
    span.finish();
    Process::of(queue, job).system(system).client(&client).start(&trace).finish();
    let mut spans = capture.take_spans();
    let process = spans.remove(1);
    (spans.remove(0), process)
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(44, "a message is sent", || {
            let expected = [
                ("name", "send my-topic"),
                ("sentry.op", "queue.publish"),
                ("messaging.system", "kafka"),
                ("messaging.operation.type", "send"),
                ("messaging.operation.name", "send"),
                ("sentry.kind", "producer"),
            ];
            expect(&message("my-topic", "kafka", "x").0, &expected);
            let (client, _) = streaming();
            let transaction = client.start_transaction("work", "task");
            let (span, trace) = transaction.enter(|| Publish::to("my-topic").start());
            let carried: Vec<_> = trace.headers().collect();
            let sent: SentryTrace = carried[0].1.parse().unwrap();
            assert_eq!((Some(sent.span_id), sent.sampled), (span.span_id(), Some(true)));
            assert!(carried.iter().any(|(name, _)| *name == "baggage"));
        }),
        row(45, "a message is processed", || {
            let (publish, process) = message("my-topic", "kafka", "x");
            let expected =
                [("name", "process my-topic"), ("sentry.op", "queue.process"), ("sentry.kind", "consumer")];
            expect(&process, &expected);
            assert_eq!(process.span.parent_span_id, Some(publish.span.span_id), "the producer");
        }),
        row(46, "a batch is received; links are tested with links", || {
            let receive =
                [("messaging.operation.type", "receive"), ("messaging.destination.name", "my-topic")];
            expect(
                &instrumented("queue.receive", &receive),
                &[("name", "receive my-topic"), ("sentry.kind", "consumer")],
            );
        }),
        row(47, "SQS", || expect(&message("my-queue", "aws_sqs", "x").0, &[("name", "send my-queue")])),
        row(48, "no queue", || {
            expect(
                &instrumented("queue.publish", &[("messaging.operation.type", "send")]),
                &[("name", "send")],
            );
        }),
        row(
            49,
            "a job of a worker: JavaScript's name of the queue, and not Python's of the task, which is the \
                 description: the same in every SDK's next version",
            || {
                let (_, process) = message("celery", "redis", "app.add");
                let expected = [
                    ("name", "process celery"),
                    ("sentry.description", "app.add"),
                    ("sentry.segment.name.source", "task"),
                ];
                expect(&process, &expected);
            },
        ),
        open(88, "links of a message without span id or decision", "item 4: links"),
        row(87, "SNS", || {
            expect(&message("orders", "aws.sns", "x").0, &[("name", "send orders")]);
            let to_phone =
                [("messaging.operation.type", "send"), ("messaging.destination.name", "phone_number")];
            expect(&instrumented("queue.publish", &to_phone), &[("name", "send phone_number")]);
        }),
    ]
}
