//! What is compared with what, and what was promised for it.

/// The same thing done by several.
#[derive(Debug)]
pub struct Job {
    pub title: &'static str,
    /// Ours, and what was promised for it.
    pub ours: &'static [(&'static str, &'static str, Budget)],
    /// Variant and name of those who do the same.
    pub peers: &'static [(&'static str, &'static str)],
    /// What is there without any of them.
    pub base: &'static str,
}

/// The most that a call may cost over the base.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub nanoseconds: f64,
    pub instructions: f64,
    pub allocations: f64,
}

const fn most(nanoseconds: f64, instructions: f64, allocations: f64) -> Budget {
    Budget { nanoseconds, instructions, allocations }
}

/// Nothing was promised.
const OPEN: Budget = most(f64::INFINITY, f64::INFINITY, f64::INFINITY);
const NOT_SAMPLED: Budget = most(200.0, 2_000.0, 1.0);

const SENTRY: &str = "sentry-tower";
const OTEL: &str = "opentelemetry-instrumentation-tower";
const AXUM_OTEL: &str = "axum-tracing-opentelemetry";

pub const JOBS: [Job; 6] = [
    Job {
        title: "A sampled request, dropped on its thread",
        ours: &[("sentrace-dropped", "sentrace", most(400.0, 4_000.0, 4.0))],
        peers: &[
            ("opentelemetry-dropped", OTEL),
            ("axum-tracing-opentelemetry-dropped", AXUM_OTEL),
            ("sentry-tower-dropped", SENTRY),
        ],
        base: "noop-layer",
    },
    Job {
        title: "A sampled request, handed over to another thread",
        ours: &[("sentrace-handed-over", "sentrace, recycled by its worker", most(700.0, 4_500.0, 2.0))],
        peers: &[
            ("opentelemetry-batch", "opentelemetry-instrumentation-tower, batch exporter"),
            ("sentry-tower-handed-over", "sentry-tower, envelope through a channel"),
        ],
        base: "noop-layer",
    },
    Job {
        title: "A request that is not sampled",
        ours: &[
            ("sentrace-unsampled", "sentrace, by the caller's decision", NOT_SAMPLED),
            ("sentrace-off", "sentrace, tracing off", NOT_SAMPLED),
            ("sentrace-no-client", "sentrace, never initialised", OPEN),
        ],
        peers: &[
            ("opentelemetry-unsampled", OTEL),
            ("axum-tracing-opentelemetry-unsampled", AXUM_OTEL),
            ("sentry-tower-unsampled", SENTRY),
            ("sentry-tower-off", "sentry-tower, tracing off"),
            ("sentry-tower-no-client", "sentry-tower, never initialised"),
            ("tower-http-no-subscriber", "tower-http TraceLayer, no subscriber"),
            ("tower-http-registry", "tower-http TraceLayer, registry"),
        ],
        base: "noop-layer",
    },
    Job {
        title: "A sampled request with ten child spans",
        ours: &[
            ("sentrace-10-spans", "sentrace, by hand", most(1_600.0, f64::INFINITY, f64::INFINITY)),
            ("sentrace-10-spans-handed-over", "sentrace, by hand, handed over", OPEN),
            ("sentrace-tracing-10-spans", "sentrace, `#[instrument]`", OPEN),
        ],
        peers: &[
            ("opentelemetry-10-spans", "OpenTelemetry, by hand"),
            ("axum-tracing-opentelemetry-10-spans", "axum-tracing-opentelemetry, `#[instrument]`"),
            ("sentry-tower-10-spans", "sentry, by hand"),
            ("sentry-tracing-10-spans", "sentry-tracing, `#[instrument]`"),
        ],
        base: "noop-layer",
    },
    Job {
        title: "Ten child spans of a request that is not sampled",
        ours: &[
            ("sentrace-10-spans-unsampled", "sentrace, by hand", OPEN),
            ("sentrace-tracing-10-spans-unsampled", "sentrace, `#[instrument]`", OPEN),
        ],
        peers: &[
            ("opentelemetry-10-spans-unsampled", "OpenTelemetry, by hand"),
            ("axum-tracing-opentelemetry-10-spans-unsampled", "axum-tracing-opentelemetry, `#[instrument]`"),
            ("sentry-tower-10-spans-unsampled", "sentry, by hand"),
            ("sentry-tracing-10-spans-unsampled", "sentry-tracing, `#[instrument]`"),
            ("tracing-10-spans-registry", "`#[instrument]` alone, registry"),
        ],
        base: "noop-layer",
    },
    Job {
        title: "An outgoing call: a client span and its headers",
        ours: &[
            ("outgoing-sentrace", "sentrace", most(600.0, f64::INFINITY, 6.0)),
            ("outgoing-sentrace-guarded", "sentrace, redirects guarded", OPEN),
            ("outgoing-sentrace-unsampled", "sentrace, not sampled", OPEN),
        ],
        peers: &[
            ("outgoing-sentry-by-hand", "sentry, by hand"),
            ("outgoing-reqwest-tracing-opentelemetry", "reqwest-tracing, OpenTelemetry 0.32"),
            ("outgoing-reqwest-tracing-registry", "reqwest-tracing, registry (no headers)"),
            ("outgoing-reqwest-tracing-no-subscriber", "reqwest-tracing, no subscriber (no headers)"),
        ],
        base: "outgoing-noop",
    },
];

/// What a layer has to do for this job at the very least, each row all of the rows before and one thing more; and ours that do so
/// much and more.
pub const LEAST: [(&str, &str, &[&str]); 5] = [
    ("least-wrapped", "future and body are wrapped, so that the end is seen", &["sentrace-no-client"]),
    ("least-current", "and a record is current in the call, in polls and frames", &[]),
    (
        "least-trace",
        "and both trace headers are found, one is read, the other copied",
        &["sentrace-off", "sentrace-unsampled"],
    ),
    ("least-timed", "and ids are drawn, two times, status and size noted", &[]),
    (
        "least-copied",
        "and method, path, query, route and ten header fields copied, secrets left out by three names",
        &["sentrace-dropped"],
    ),
];

/// What was promised for a server under load.
#[derive(Debug)]
pub struct LoadPromise {
    pub server: &'static str,
    pub title: &'static str,
    /// The least share of the requests per processor second behind a layer that does nothing.
    pub least: f64,
    /// Who does the same.
    pub peers: &'static [&'static str],
}

pub const LOAD: [LoadPromise; 4] = [
    LoadPromise {
        server: "sentrace-dropped",
        title: "all sampled and dropped",
        least: 0.93,
        peers: &["opentelemetry-dropped", "sentry-tower-dropped"],
    },
    LoadPromise {
        server: "sentrace-handed-over",
        title: "all handed over, the worker included",
        least: 0.85,
        peers: &["opentelemetry-batch"],
    },
    LoadPromise {
        server: "sentrace-delivers-1000",
        title: "1,000 transactions a second delivered",
        least: 0.93,
        peers: &[],
    },
    LoadPromise {
        server: "sentrace-delivers-all",
        title: "delivered as far as back-pressure lets it",
        least: 0.75,
        peers: &["sentry-tower-delivers-all"],
    },
];

/// What reading and writing headers may cost: variant, words, nanoseconds, allocations.
pub const HEADERS: [(&str, &str, f64, f64); 4] = [
    ("headers-read", "read both", 250.0, 1.0),
    ("headers-of-a-call", "the headers of a call, owned", 150.0, 1.0),
    ("headers-write-text", "written as text from what is there", 150.0, 0.0),
    ("headers-read-and-write-text", "read and written as text together", 400.0, 1.0),
];

/// Of these loads everything is to arrive: scenario, words.
pub const ALL_ARRIVE: [(&str, &str); 2] =
    [("burst of 2,000", "arrive of a burst of 2,000"), ("200/s for 10 s", "arrive of 200 a second for 10 s")];

/// The most bytes that may be posted for a transaction of ten spans.
pub const BODY_BYTES: f64 = 1_650.0;
