//! Child processes.

use sentrace_tests::Ingest;

use crate::program::{program, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sentrace-example-subprocess");
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

pub(crate) async fn each_child_continues_the_trace_below_its_own_span() {
    let ingest = Ingest::start();
    run(program(PROGRAM, &ingest, "gallery")).await;

    let trace = ingest.trace(4).await;
    assert!(trace.summary.orphans == 0 && trace.summary.roots == 1, "{:#?}", trace.summary);
    for (picture, status, code) in
        [("harbour.jpg", "ok", 0), ("broken.jpg", "internal_error", 1), ("market.jpg", "ok", 0)]
    {
        let span = trace.named(&format!("thumbnail {picture}"));
        assert_eq!(span.status.as_deref(), Some(status), "{picture}");
        let data = &trace.transactions[span.transaction].spans[span.span.unwrap()].data;
        assert_eq!(data["process.exit.code"], code, "{picture}");
        let child = trace.transactions.iter().find(|child| child.parent_span_id == Some(span.span_id));
        let child = child.unwrap_or_else(|| panic!("{picture}: its process has not reported"));
        assert_eq!((&*child.name, child.status.as_deref()), ("make thumbnail", Some(status)), "{picture}");
        assert_eq!(child.data["picture"], picture);
        assert_eq!(child.release.as_deref(), Some("thumbnails@1.0.0"));
        let dsc = child.dsc.as_ref().unwrap();
        assert_eq!(dsc["release"], "gallery@1.0.0", "the context is of the trace's head");
    }
    ingest.assert_no_problems();
}

pub(crate) async fn a_program_that_was_started_in_a_trace_hands_it_on() {
    let ingest = Ingest::start();
    let mut gallery = program(PROGRAM, &ingest, "gallery");
    gallery.env("SENTRY_TRACE", format!("{TRACE_ID}-b7ad6b7169203331-1"));
    run(gallery).await;
    let trace = ingest.trace(4).await;
    assert_eq!(trace.summary.id.to_string(), TRACE_ID);
    assert_eq!(trace.summary.orphans, 1, "only the caller's own span is not here");

    let mut child = program(PROGRAM, &ingest, "gallery");
    child.arg("harbour.jpg").env("SENTRY_TRACE", format!("{TRACE_ID}-b7ad6b7169203331-0"));
    run(child).await;
    assert_eq!(
        ingest.transactions().await,
        4,
        "a trace that is not sampled is not sampled in a child either"
    );
}
