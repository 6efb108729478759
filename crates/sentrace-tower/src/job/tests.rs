use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use sentrace_core::carriers::job::JobTrace;
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Client, Options, current_span, start_span};
use sentrace_protocol::{SpanStatus, TransactionSource, Value};
use tower::retry::{Policy, RetryLayer};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::{JobHead, SentryJobLayer};

#[derive(Clone)]
struct Mail {
    trace: JobTrace,
    attempt: Arc<AtomicUsize>,
}

fn recording() -> (Client, Arc<Capture>) {
    Capture::client(Options::new().traces_sample_rate(1.0)).unwrap()
}

fn mail() -> Mail {
    Mail { trace: JobTrace::default(), attempt: Arc::default() }
}

fn read(mail: &Mail) -> JobHead {
    let attempt = mail.attempt.load(Ordering::Relaxed);
    JobHead::new("send mail", mail.trace.clone())
        .message_id("17")
        .body_size(120)
        .retry_count(attempt.try_into().unwrap())
}

fn layer(client: &Client) -> SentryJobLayer<impl Fn(&Mail) -> JobHead + Clone + use<>> {
    SentryJobLayer::new("mails", read).system("redis").client(client.clone())
}

fn only(capture: &Capture) -> CapturedTransaction {
    let mut captured = capture.take();
    assert_eq!(captured.len(), 1, "exactly one transaction: {captured:#?}");
    captured.remove(0)
}

fn data<'a>(captured: &'a CapturedTransaction, key: &str) -> Option<&'a Value<'static>> {
    captured.transaction.trace.data.get(key)
}

#[tokio::test]
async fn a_job_is_a_transaction_in_the_trace_of_who_queued_it() {
    let (client, capture) = recording();
    let request = client.start_transaction("POST /orders", "http.server");
    let mail = Mail { trace: JobTrace::of(&request), ..mail() };
    let worker = layer(&client).layer(service_fn(async |_: Mail| {
        tokio::task::yield_now().await;
        start_span("smtp", "to a@example.com").finish();
        Ok::<_, Infallible>("sent")
    }));
    assert_eq!(worker.oneshot(mail).await, Ok("sent"));

    let captured = only(&capture);
    captured.expect_span("to a@example.com");
    let job = &captured.transaction;
    assert_eq!(
        (&*job.name, job.source, &*job.trace.op),
        ("send mail", TransactionSource::Task, "queue.process")
    );
    assert_eq!((Some(job.trace.trace_id), job.trace.parent_span_id), (request.trace_id(), request.span_id()));
    assert_eq!(job.trace.status, Some(SpanStatus::Ok));
    assert_eq!(job.trace.origin, "auto.queue.tower");
    let rows: [(&str, Value<'_>); 5] = [
        ("messaging.destination.name", "mails".into()),
        ("messaging.system", "redis".into()),
        ("messaging.message.id", "17".into()),
        ("messaging.message.body.size", 120_u64.into()),
        ("messaging.message.retry.count", 0_u32.into()),
    ];
    for (key, expected) in rows {
        assert_eq!(data(&captured, key), Some(&expected), "{key}");
    }
    assert!(matches!(data(&captured, "messaging.message.receive.latency"), Some(Value::Int(ms)) if *ms >= 0));
}

#[tokio::test]
async fn a_job_that_fails_says_so_and_its_error_passes() {
    let (client, capture) = recording();
    let worker =
        layer(&client).layer(service_fn(async |_: Mail| Err::<(), _>(io::Error::other("no route to host"))));
    assert_eq!(worker.oneshot(mail()).await.unwrap_err().to_string(), "no route to host");
    let captured = only(&capture);
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::InternalError));
    assert_eq!(data(&captured, "error.type"), Some(&Value::from("std::io::error::Error")));
}

#[tokio::test]
async fn a_job_that_is_dropped_before_it_is_done_is_cancelled_inside_its_scope() {
    struct Cleanup;
    impl Drop for Cleanup {
        fn drop(&mut self) {
            start_span("task", "clean up").finish();
        }
    }
    let (client, capture) = recording();
    let mut worker = layer(&client).layer(service_fn(async |_: Mail| {
        let _cleanup = Cleanup;
        pending::<Result<(), Infallible>>().await
    }));
    let mut job = Box::pin(worker.call(mail()));
    assert!(job.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(job);
    let captured = only(&capture);
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Cancelled));
    captured.expect_span("clean up");
}

#[tokio::test]
async fn a_panic_in_a_job_is_its_end_and_goes_on() {
    let (client, capture) = recording();
    let worker = layer(&client).layer(service_fn(async |mail: Mail| {
        tokio::task::yield_now().await;
        assert!(mail.attempt.load(Ordering::Relaxed) > 0, "on purpose");
        Ok::<_, Infallible>(())
    }));
    let panicked = tokio::spawn(worker.oneshot(mail())).await.unwrap_err();
    assert!(panicked.is_panic());
    assert_eq!(only(&capture).transaction.trace.status, Some(SpanStatus::InternalError));
}

#[tokio::test]
async fn below_a_layer_that_retries_each_attempt_is_a_transaction_of_the_same_trace() {
    #[derive(Clone)]
    struct Twice;
    impl<T, E> Policy<Mail, T, E> for Twice {
        type Future = std::future::Ready<()>;
        fn retry(&mut self, mail: &mut Mail, result: &mut Result<T, E>) -> Option<std::future::Ready<()>> {
            let failed = result.is_err() && mail.attempt.fetch_add(1, Ordering::Relaxed) < 2;
            failed.then(|| std::future::ready(()))
        }
        fn clone_request(&mut self, mail: &Mail) -> Option<Mail> {
            Some(mail.clone())
        }
    }
    let (client, capture) = recording();
    let request = client.start_transaction("POST /orders", "http.server");
    let mail = Mail { trace: JobTrace::of(&request), ..mail() };
    let send = service_fn(
        async |mail: Mail| {
            if mail.attempt.load(Ordering::Relaxed) < 2 { Err("greylisted") } else { Ok(()) }
        },
    );
    let worker = ServiceBuilder::new().layer(RetryLayer::new(Twice)).layer(layer(&client)).service(send);
    worker.oneshot(mail).await.unwrap();

    let attempts: Vec<_> = capture
        .take()
        .iter()
        .map(|attempt| {
            assert_eq!(Some(attempt.transaction.trace.trace_id), request.trace_id());
            (data(attempt, "messaging.message.retry.count").cloned(), attempt.transaction.trace.status)
        })
        .collect();
    let expected = [SpanStatus::InternalError, SpanStatus::InternalError, SpanStatus::Ok]
        .into_iter()
        .enumerate()
        .map(|(count, status)| (Some(Value::from(count as i64)), Some(status)));
    assert_eq!(attempts, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_worked_on_untraced() {
    let (client, capture) = recording();
    let layer = SentryJobLayer::new("mails", |_: &Mail| -> JobHead { panic!("on purpose") }).client(client);
    let worker = layer.layer(service_fn(async |_: Mail| Ok::<_, Infallible>(current_span().is_none())));
    assert_eq!(worker.oneshot(mail()).await, Ok(true));
    assert!(capture.take().is_empty());
}
