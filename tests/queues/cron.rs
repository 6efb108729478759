//! Scheduled jobs.

use std::collections::BTreeSet;

use sentrace_tests::Ingest;

use crate::program::{program, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sentrace-example-cron");

pub(crate) async fn each_run_is_a_trace_from_the_scheduler_into_the_processes_of_its_jobs() {
    let ingest = Ingest::start();
    run(program(PROGRAM, &ingest, "scheduler")).await;

    let traces = ingest.traces(9).await;
    let ids: BTreeSet<_> = traces.iter().map(|trace| trace.id.to_string()).collect();
    assert_eq!((traces.len(), ids.len()), (3, 3), "{traces:#?}");
    for id in ids {
        let trace = ingest.read(id).await;
        assert!(trace.summary.orphans == 0 && trace.summary.roots == 1, "{:#?}", trace.summary);
        for job in ["backup", "report"] {
            let own = trace.transaction_named(&format!("job {job}"));
            assert_eq!(own.parent_span_id, Some(trace.named(job).span_id), "{job}");
            assert_eq!(own.release, Some(format!("{job}@1.0.0")));
        }
    }
    ingest.assert_no_problems();
}

pub(crate) async fn a_job_that_the_systems_cron_starts_has_a_trace_of_its_own() {
    let ingest = Ingest::start();
    let mut job = program(PROGRAM, &ingest, "jobs");
    job.arg("backup").env("SENTRY_TRACES_SAMPLE_RATE", "1");
    run(job).await;
    let trace = ingest.trace(1).await;
    assert_eq!(trace.transaction_named("job backup").parent_span_id, None);
    ingest.assert_no_problems();
}
