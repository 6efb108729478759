//! Gungraun's view of every variant: `cargo bench --bench instructions -- '*sentrace_dropped'`.
//!
//! A benchmark is named after its variant, with `_` for `-`. The gate and the report use it, the
//! gate only with mixed baggage. The names are repeated because gungraun's attributes do not work
//! in a macro.

#![expect(missing_docs, reason = "what gungraun's macros write is public")]

use gungraun::prelude::*;
use gungraun::{Callgrind, EntryPoint};
use sentrace_bench::instructions;
use sentrace_bench::measured::Measured;
use sentrace_bench::request::Baggage;
use sentrace_bench::variants;

/// With glibc's allocator, the cost of allocating the header map, which is too large for its thread
/// cache, depends on neighbouring blocks: up to 700 instructions per request, affected by
/// environment variables and any change of the code. With this one it does not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[library_benchmark(setup = with_mixed)]
#[bench::bare("bare")]
#[bench::noop_layer("noop-layer")]
#[bench::sentrace_dropped("sentrace-dropped")]
#[bench::sentrace_handed_over("sentrace-handed-over")]
#[bench::sentrace_unsampled("sentrace-unsampled")]
#[bench::sentrace_off("sentrace-off")]
#[bench::sentrace_no_client("sentrace-no-client")]
#[bench::sentrace_10_spans("sentrace-10-spans")]
#[bench::sentrace_10_spans_handed_over("sentrace-10-spans-handed-over")]
#[bench::sentrace_10_spans_unsampled("sentrace-10-spans-unsampled")]
#[bench::sentrace_tracing_10_spans("sentrace-tracing-10-spans")]
#[bench::sentrace_tracing_10_spans_unsampled("sentrace-tracing-10-spans-unsampled")]
#[bench::outgoing_stub("outgoing-stub")]
#[bench::outgoing_noop("outgoing-noop")]
#[bench::outgoing_sentrace("outgoing-sentrace")]
#[bench::outgoing_sentrace_guarded("outgoing-sentrace-guarded")]
#[bench::outgoing_sentrace_unsampled("outgoing-sentrace-unsampled")]
#[bench::headers_read("headers-read")]
#[bench::headers_of_a_call("headers-of-a-call")]
#[bench::headers_write_text("headers-write-text")]
#[bench::headers_read_and_write_text("headers-read-and-write-text")]
fn ours_mixed(mut measured: Measured) {
    instructions::run_counted(&mut measured);
}

#[library_benchmark(setup = with_sentrys)]
#[bench::bare("bare")]
#[bench::noop_layer("noop-layer")]
#[bench::sentrace_dropped("sentrace-dropped")]
#[bench::sentrace_handed_over("sentrace-handed-over")]
#[bench::sentrace_unsampled("sentrace-unsampled")]
#[bench::sentrace_off("sentrace-off")]
#[bench::sentrace_no_client("sentrace-no-client")]
#[bench::sentrace_10_spans("sentrace-10-spans")]
#[bench::sentrace_10_spans_handed_over("sentrace-10-spans-handed-over")]
#[bench::sentrace_10_spans_unsampled("sentrace-10-spans-unsampled")]
#[bench::sentrace_tracing_10_spans("sentrace-tracing-10-spans")]
#[bench::sentrace_tracing_10_spans_unsampled("sentrace-tracing-10-spans-unsampled")]
#[bench::outgoing_stub("outgoing-stub")]
#[bench::outgoing_noop("outgoing-noop")]
#[bench::outgoing_sentrace("outgoing-sentrace")]
#[bench::outgoing_sentrace_guarded("outgoing-sentrace-guarded")]
#[bench::outgoing_sentrace_unsampled("outgoing-sentrace-unsampled")]
#[bench::headers_read("headers-read")]
#[bench::headers_of_a_call("headers-of-a-call")]
#[bench::headers_write_text("headers-write-text")]
#[bench::headers_read_and_write_text("headers-read-and-write-text")]
fn ours_sentrys(mut measured: Measured) {
    instructions::run_counted(&mut measured);
}

#[library_benchmark(setup = with_mixed)]
#[bench::least_wrapped("least-wrapped")]
#[bench::least_current("least-current")]
#[bench::least_trace("least-trace")]
#[bench::least_timed("least-timed")]
#[bench::least_copied("least-copied")]
fn least_mixed(mut measured: Measured) {
    instructions::run_counted(&mut measured);
}

#[library_benchmark(setup = with_sentrys)]
#[bench::least_wrapped("least-wrapped")]
#[bench::least_current("least-current")]
#[bench::least_trace("least-trace")]
#[bench::least_timed("least-timed")]
#[bench::least_copied("least-copied")]
fn least_sentrys(mut measured: Measured) {
    instructions::run_counted(&mut measured);
}

#[cfg(feature = "peers")]
#[library_benchmark(setup = with_mixed)]
#[bench::axum_tracing_opentelemetry_dropped("axum-tracing-opentelemetry-dropped")]
#[bench::axum_tracing_opentelemetry_unsampled("axum-tracing-opentelemetry-unsampled")]
#[bench::axum_tracing_opentelemetry_10_spans("axum-tracing-opentelemetry-10-spans")]
#[bench::axum_tracing_opentelemetry_10_spans_unsampled("axum-tracing-opentelemetry-10-spans-unsampled")]
#[bench::opentelemetry_dropped("opentelemetry-dropped")]
#[bench::opentelemetry_batch("opentelemetry-batch")]
#[bench::opentelemetry_unsampled("opentelemetry-unsampled")]
#[bench::opentelemetry_10_spans("opentelemetry-10-spans")]
#[bench::opentelemetry_10_spans_unsampled("opentelemetry-10-spans-unsampled")]
#[bench::outgoing_reqwest_tracing_no_subscriber("outgoing-reqwest-tracing-no-subscriber")]
#[bench::outgoing_reqwest_tracing_registry("outgoing-reqwest-tracing-registry")]
#[bench::outgoing_reqwest_tracing_opentelemetry("outgoing-reqwest-tracing-opentelemetry")]
#[bench::outgoing_sentry_by_hand("outgoing-sentry-by-hand")]
#[bench::sentry_tower_dropped("sentry-tower-dropped")]
#[bench::sentry_tower_handed_over("sentry-tower-handed-over")]
#[bench::sentry_tower_unsampled("sentry-tower-unsampled")]
#[bench::sentry_tower_off("sentry-tower-off")]
#[bench::sentry_tower_no_client("sentry-tower-no-client")]
#[bench::sentry_tower_10_spans("sentry-tower-10-spans")]
#[bench::sentry_tower_10_spans_unsampled("sentry-tower-10-spans-unsampled")]
#[bench::sentry_tracing_10_spans("sentry-tracing-10-spans")]
#[bench::sentry_tracing_10_spans_unsampled("sentry-tracing-10-spans-unsampled")]
#[bench::tower_http_no_subscriber("tower-http-no-subscriber")]
#[bench::tower_http_registry("tower-http-registry")]
#[bench::tracing_10_spans_no_subscriber("tracing-10-spans-no-subscriber")]
#[bench::tracing_10_spans_registry("tracing-10-spans-registry")]
fn peers_mixed(mut measured: Measured) {
    instructions::run_counted(&mut measured);
}

#[cfg(feature = "peers")]
#[library_benchmark(setup = with_sentrys)]
#[bench::axum_tracing_opentelemetry_dropped("axum-tracing-opentelemetry-dropped")]
#[bench::axum_tracing_opentelemetry_unsampled("axum-tracing-opentelemetry-unsampled")]
#[bench::axum_tracing_opentelemetry_10_spans("axum-tracing-opentelemetry-10-spans")]
#[bench::axum_tracing_opentelemetry_10_spans_unsampled("axum-tracing-opentelemetry-10-spans-unsampled")]
#[bench::opentelemetry_dropped("opentelemetry-dropped")]
#[bench::opentelemetry_batch("opentelemetry-batch")]
#[bench::opentelemetry_unsampled("opentelemetry-unsampled")]
#[bench::opentelemetry_10_spans("opentelemetry-10-spans")]
#[bench::opentelemetry_10_spans_unsampled("opentelemetry-10-spans-unsampled")]
#[bench::outgoing_reqwest_tracing_no_subscriber("outgoing-reqwest-tracing-no-subscriber")]
#[bench::outgoing_reqwest_tracing_registry("outgoing-reqwest-tracing-registry")]
#[bench::outgoing_reqwest_tracing_opentelemetry("outgoing-reqwest-tracing-opentelemetry")]
#[bench::outgoing_sentry_by_hand("outgoing-sentry-by-hand")]
#[bench::sentry_tower_dropped("sentry-tower-dropped")]
#[bench::sentry_tower_handed_over("sentry-tower-handed-over")]
#[bench::sentry_tower_unsampled("sentry-tower-unsampled")]
#[bench::sentry_tower_off("sentry-tower-off")]
#[bench::sentry_tower_no_client("sentry-tower-no-client")]
#[bench::sentry_tower_10_spans("sentry-tower-10-spans")]
#[bench::sentry_tower_10_spans_unsampled("sentry-tower-10-spans-unsampled")]
#[bench::sentry_tracing_10_spans("sentry-tracing-10-spans")]
#[bench::sentry_tracing_10_spans_unsampled("sentry-tracing-10-spans-unsampled")]
#[bench::tower_http_no_subscriber("tower-http-no-subscriber")]
#[bench::tower_http_registry("tower-http-registry")]
#[bench::tracing_10_spans_no_subscriber("tracing-10-spans-no-subscriber")]
#[bench::tracing_10_spans_registry("tracing-10-spans-registry")]
fn peers_sentrys(mut measured: Measured) {
    instructions::run_counted(&mut measured);
}

fn with_mixed(variant: &str) -> Measured {
    start(variant, Baggage::Mixed)
}

fn with_sentrys(variant: &str) -> Measured {
    start(variant, Baggage::Sentrys)
}

fn start(variant: &str, baggage: Baggage) -> Measured {
    match variants::named(variant) {
        Ok(variant) => instructions::start(variant, baggage),
        Err(error) => panic!("{error}"),
    }
}

#[cfg(not(feature = "peers"))]
library_benchmark_group!(name = calls, benchmarks = [ours_mixed, ours_sentrys, least_mixed, least_sentrys]);
#[cfg(feature = "peers")]
library_benchmark_group!(
    name = calls,
    benchmarks = [ours_mixed, ours_sentrys, least_mixed, least_sentrys, peers_mixed, peers_sentrys]
);

main!(
    config = LibraryBenchmarkConfig::default().tool(
        Callgrind::with_args(["--cache-sim=no", "--separate-threads=no"])
            .entry_point(EntryPoint::Custom(instructions::COUNTED.to_owned()))
    ),
    library_benchmark_groups = calls
);
