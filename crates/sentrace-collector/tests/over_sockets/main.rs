//! The collector as its users meet it: over real sockets.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod client;
#[cfg(unix)]
mod slow_clients;

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use http::header::{CONTENT_ENCODING, HOST, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use sentrace_collector::model::{
    Counts, Diagnosis, Remark, RemarkKind, ReportedProblem, Reports, Trace, TraceSummary,
};
use sentrace_collector::{Behaviour, Collector, Limits};
use serde_json::{Value, json};

use self::client::{envelope, get, item, post, request, send, streamed};

const SOON: Duration = Duration::from_secs(10);
const AUTH: &str = "Sentry sentry_version=7, sentry_key=public";

async fn collector() -> Collector {
    Collector::start("127.0.0.1:0").await.expect("a free port")
}

fn compressed(encoding: &str, body: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
            writer.write_all(body).unwrap();
            writer.finish().unwrap()
        }
        "deflate" => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
            writer.write_all(body).unwrap();
            writer.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            let mut writer = brotli::CompressorWriter::new(&mut out, 4096, 5, 20);
            writer.write_all(body).unwrap();
            drop(writer);
            out
        }
        "zstd" => zstd::encode_all(body, 3).unwrap(),
        _ => body.to_vec(),
    }
}

#[tokio::test]
async fn envelopes_are_taken_in_every_encoding_and_with_or_without_the_last_slash() {
    let collector = collector().await;
    let ways = [
        ("identity", "/api/1/envelope/"),
        ("gzip", "/api/1/envelope/"),
        ("deflate", "/api/1/envelope"),
        ("br", "/api/1/envelope/"),
        ("zstd", "/api/1/envelope"),
    ];
    for (number, (encoding, path)) in (1..).zip(ways) {
        let request = request(&collector, "POST", path).header("x-sentry-auth", AUTH);
        let body = compressed(encoding, &envelope(1, number, None));
        let answer = send(request.header(CONTENT_ENCODING, encoding), body).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{encoding}: {}", answer.text);
        assert_eq!(answer.json::<Value>()["id"], format!("{:032x}", 256 + u32::from(number)));
    }
    assert_eq!(collector.traces()[0].transactions, 5);
    assert_eq!(collector.counts(), Counts::new(5, 5, 0));
}

#[tokio::test]
async fn damaged_unknown_and_exploding_encodings_are_refused_within_bounds() {
    let limits = Limits::default().envelope_bytes(100_000);
    let collector = Collector::start_with("127.0.0.1:0", limits).await.unwrap();
    let bomb = vec![b' '; 50_000_000];
    let table = [
        ("gzip", compressed("gzip", &bomb), 413, "50 MB out of 50 KB"),
        ("zstd", compressed("zstd", &bomb), 413, "the same with zstd"),
        ("identity", vec![b' '; 100_001], 413, "one byte too many"),
        ("gzip", b"not gzip at all".to_vec(), 400, "damaged"),
        ("lzma", b"x".to_vec(), 415, "an encoding that Sentry does not take"),
    ];
    for (encoding, body, status, reason) in table {
        let request = request(&collector, "POST", "/api/1/envelope/").header("x-sentry-auth", AUTH);
        let answer = send(request.header(CONTENT_ENCODING, encoding), body).await.unwrap();
        assert_eq!(answer.status, status, "{reason}: {}", answer.text);
    }
    assert_eq!(collector.counts(), Counts::new(0, 0, 5));
    assert_eq!(collector.problems().len(), 5);
}

#[tokio::test]
async fn a_key_is_needed_and_may_come_three_ways() {
    let collector = collector().await;
    let dsn = json!({ "dsn": collector.dsn("1"), "sent_at": "2026-08-20T10:00:00Z" });
    let with_dsn = item(&dsn, "event", &json!({}));
    let table = [
        ("/api/1/envelope/", None, envelope(1, 1, None), 403, "no key"),
        ("/api/1/envelope/", Some(AUTH), envelope(1, 1, None), 200, "the header"),
        ("/api/1/envelope/?sentry_version=7&sentry_key=public", None, envelope(1, 2, None), 200, "the query"),
        ("/api/1/envelope/", None, with_dsn.clone(), 200, "the envelope"),
        ("/api/1/envelope/", Some("Sentry sentry_key=other"), with_dsn.clone(), 403, "two that differ"),
        ("/api/2/envelope/", None, with_dsn, 403, "another project"),
        ("/stream", None, envelope(1, 3, None), 200, "Spotlight asks for none"),
        ("/api/%3Cscript%3E/envelope/", Some(AUTH), envelope(1, 4, None), 400, "a project that is none"),
    ];
    for (path, auth, body, status, reason) in table {
        let request = request(&collector, "POST", path);
        let request = auth.into_iter().fold(request, |request, auth| request.header("x-sentry-auth", auth));
        let answer = send(request, body).await.unwrap();
        assert_eq!(answer.status, status, "{reason}: {}", answer.text);
        assert_eq!(answer.headers.contains_key("x-sentry-error"), status != 200, "{reason}");
    }
    assert_eq!(collector.traces()[0].transactions, 3);
}

#[tokio::test]
async fn streamed_spans_are_taken_and_shown_as_one_trace() {
    let collector = collector().await;
    for (spans, reason) in
        [(vec![(2, 1)], "a child before its segment"), (vec![(1, 0), (3, 1)], "the segment")]
    {
        let answer = post(&collector, streamed(&spans)).await.unwrap();
        assert_eq!(answer.status, 200, "{reason}: {}", answer.text);
    }
    assert_eq!(collector.problems(), []);
    let summary = collector.traces().remove(0);
    assert!(summary.is_whole(), "{summary:?}");
    assert_eq!((summary.transactions, summary.spans, summary.name.as_str()), (1, 3, "span 1"));
    let path = format!("/traces/{}", summary.id);
    let page = get(&collector, &path).await.text;
    assert!(["span 1", "span 2", "span 3"].iter().all(|name| page.contains(name)));
    let trace: Trace = get(&collector, &format!("/api{path}")).await.json();
    assert_eq!(Some(trace), collector.trace(summary.id));
}

#[tokio::test]
async fn the_api_gives_back_what_the_library_knows() {
    let collector = collector().await;
    post(&collector, envelope(1, 2, Some(1))).await.unwrap();
    post(&collector, envelope(1, 1, None)).await.unwrap();
    post(&collector, envelope(2, 9, Some(77))).await.unwrap();
    let report =
        json!({ "discarded_events": [{ "reason": "sample_rate", "category": "span", "quantity": 12 }] });
    post(&collector, item(&json!({}), "client_report", &report)).await.unwrap();
    post(&collector, "nonsense").await.unwrap();

    let traces: Vec<TraceSummary> = get(&collector, "/api/traces").await.json();
    assert_eq!(traces, collector.traces());
    assert_eq!(traces.iter().map(|trace| trace.name.as_str()).collect::<Vec<_>>(), ["GET /9", "GET /1"]);
    let trace: Trace = get(&collector, &format!("/api/traces/{}", traces[1].id)).await.json();
    assert_eq!(Some(&trace), collector.trace(traces[1].id).as_ref());
    assert_eq!(trace.tree.iter().map(|node| node.depth).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(trace.transactions[0].payload["transaction"], "GET /2");

    let reports: Reports = get(&collector, "/api/reports").await.json();
    assert_eq!((&reports, reports.lost("span")), (&collector.reports(), 12));
    assert_eq!(reports.items.iter().map(|item| item.count).collect::<Vec<_>>(), [1, 3]);
    let problems: Vec<ReportedProblem> = get(&collector, "/api/problems").await.json();
    assert_eq!(problems, collector.problems());
    assert_eq!(get(&collector, "/api/counts").await.json::<Counts>(), collector.counts());

    assert_eq!(get(&collector, "/api/traces/nonsense").await.status, StatusCode::NOT_FOUND);
    let cleared = send(request(&collector, "DELETE", "/api/traces"), "").await.unwrap();
    assert_eq!(cleared.status, StatusCode::NO_CONTENT);
    assert_eq!(get(&collector, "/api/traces").await.json::<Vec<Value>>(), Vec::<Value>::new());
}

#[tokio::test]
async fn the_doctor_says_the_same_to_tests_programs_and_people() {
    let collector = collector().await;
    let diagnoses = async |path: &str| get(&collector, path).await.json::<Vec<Diagnosis>>();
    assert_eq!(diagnoses("/api/doctor").await, []);
    assert!(get(&collector, "/doctor").await.text.contains("No traces yet"));

    post(&collector, envelope(1, 2, Some(77))).await.unwrap();
    post(&collector, envelope(2, 3, None)).await.unwrap();
    let (orphan, whole) = (collector.traces().remove(1).id, collector.traces().remove(0).id);
    let kinds = |remarks: Vec<Remark>| remarks.iter().map(|remark| remark.kind).collect::<Vec<_>>();
    let unnamed = [RemarkKind::MissingRelease, RemarkKind::MissingEnvironment];
    assert_eq!(kinds(collector.remarks_of(whole)), unnamed);
    assert_eq!(kinds(collector.remarks_of(orphan))[0], RemarkKind::Orphan);

    assert_eq!(diagnoses("/api/doctor").await, Diagnosis::of(collector.remarks()));
    let of_orphan = diagnoses(&format!("/api/traces/{orphan}/doctor")).await;
    assert_eq!(of_orphan, Diagnosis::of(collector.remarks_of(orphan)));
    assert!(of_orphan[0].advice.contains("flushed") && !of_orphan[0].why.is_empty());
    assert_eq!(get(&collector, "/api/traces/nonsense/doctor").await.status, StatusCode::NOT_FOUND);

    let page = get(&collector, "/doctor").await.text;
    let link = format!("/traces/{orphan}#span-0000000000000002");
    assert!(page.contains("Missing parents") && page.contains(&link), "{page}");
    let page = get(&collector, &format!("/traces/{orphan}")).await.text;
    assert!(page.contains("Missing parents") && page.contains("href=\"#span-0000000000000002\""));

    // The parent comes late, and then nothing is odd about it any more.
    post(&collector, envelope(1, 77, None)).await.unwrap();
    assert_eq!(kinds(collector.remarks_of(orphan)), unnamed);
}

#[tokio::test]
async fn pages_are_served_with_a_strict_policy_and_only_to_this_machine() {
    let collector = collector().await;
    post(&collector, envelope(1, 1, None)).await.unwrap();
    let page = format!("/traces/{}", collector.traces()[0].id);
    for path in ["/", "/doctor", page.as_str(), "/traces/nonsense", "/style.css", "/icon.svg"] {
        let answer = get(&collector, path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
    assert!(get(&collector, &page).await.text.contains("GET /1"));
    assert_eq!(get(&collector, "/traces/nonsense").await.status, StatusCode::NOT_FOUND);
    for path in ["/", "/api/traces"] {
        let rebound = request(&collector, "GET", path).header(HOST, "rebound.example");
        let answer = send(rebound, "").await.unwrap();
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn browsers_may_send_from_any_origin_but_not_read() {
    let collector = collector().await;
    let preflight =
        request(&collector, "OPTIONS", "/api/1/envelope/").header("origin", "https://shop.example");
    let answer = send(preflight, "").await.unwrap();
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert!(answer.headers["access-control-allow-headers"].to_str().unwrap().contains("x-sentry-auth"));
    assert!(!get(&collector, "/api/traces").await.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn behaviour_decides_the_answer_and_what_is_refused_is_not_kept() {
    let collector = collector().await;
    let limited = Behaviour::default()
        .status(StatusCode::TOO_MANY_REQUESTS)
        .header(RETRY_AFTER, HeaderValue::from_static("7"));
    collector.set_behaviour(limited);
    let answer = post(&collector, envelope(1, 1, None)).await.unwrap();
    assert_eq!(
        (answer.status, &answer.headers[RETRY_AFTER]),
        (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from_static("7"))
    );

    collector.set_behaviour(Behaviour::default().hang_up());
    assert!(post(&collector, envelope(1, 2, None)).await.is_err(), "no answer at all");

    let limits = HeaderName::from_static("x-sentry-rate-limits");
    let warned = Behaviour::default().header(limits.clone(), HeaderValue::from_static("60:transaction:key"));
    collector.set_behaviour(warned);
    let answer = post(&collector, envelope(1, 3, None)).await.unwrap();
    assert_eq!(
        (answer.status, &answer.headers[limits]),
        (StatusCode::OK, &HeaderValue::from_static("60:transaction:key"))
    );

    let delay = Duration::from_millis(60);
    collector.set_behaviour(Behaviour::default().delay(delay));
    let before = Instant::now();
    post(&collector, envelope(1, 4, None)).await.unwrap();
    assert!(before.elapsed() >= delay);

    assert_eq!(collector.traces()[0].transactions, 2);
    assert_eq!(collector.counts(), Counts::new(4, 2, 2));
    assert_eq!(collector.envelopes_received(), 4);
}

#[tokio::test]
async fn each_fault_is_what_its_name_says_and_the_next_connection_is_well() {
    let collector = collector().await;
    let rows = [
        (Behaviour::default().hang_up(), Ok(&b""[..]), "closed without a word"),
        (Behaviour::default().reset(), Err(ErrorKind::ConnectionReset), "reset"),
        (Behaviour::default().hang(), Err(ErrorKind::WouldBlock), "nothing, with an open connection"),
        (Behaviour::default().garbage(), Ok(b"\0\xff not HTTP\r\n\r\n"), "bytes that are no answer"),
    ];
    for (number, (behaviour, expected, reason)) in (1..).zip(rows) {
        collector.set_behaviour(behaviour);
        let mut stream = post_blocking(&collector.addr().to_string(), &envelope(1, number, None));
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let read = tokio::task::spawn_blocking(move || {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).map(|_| answer).map_err(|error| error.kind())
        });
        assert_eq!(read.await.unwrap().as_deref().map_err(|error| *error), expected, "{reason}");
    }
    collector.set_behaviour(Behaviour::default());
    assert_eq!(post(&collector, envelope(1, 5, None)).await.unwrap().status, StatusCode::OK);
    assert_eq!(collector.counts(), Counts::new(5, 1, 4));
}

#[tokio::test]
async fn a_slow_read_takes_its_time_and_loses_nothing() {
    let collector = collector().await;
    let (bytes, every) = (64, Duration::from_millis(5));
    let body = envelope(1, 1, None);
    let least = every * u32::try_from(body.len() / bytes).unwrap();
    collector.set_behaviour(Behaviour::default().slow_read(bytes, every));
    let start = Instant::now();
    assert_eq!(post(&collector, body).await.unwrap().status, StatusCode::OK);
    assert!(start.elapsed() >= least, "{:?}", start.elapsed());
    assert_eq!(collector.counts().accepted, 1);
}

#[tokio::test]
async fn a_rate_limit_comes_with_any_answer() {
    let collector = collector().await;
    let limit = HeaderValue::from_static("60:transaction:key");
    collector.set_behaviour(Behaviour::default().rate_limits(limit.clone()));
    let answer = post(&collector, envelope(1, 1, None)).await.unwrap();
    assert_eq!((answer.status, &answer.headers["x-sentry-rate-limits"]), (StatusCode::OK, &limit));
}

#[tokio::test]
async fn a_client_that_leaves_during_the_delay_has_not_delivered() {
    let collector = collector().await;
    collector.set_behaviour(Behaviour::default().delay(Duration::from_secs(3_600)));
    let sending = post(&collector, envelope(1, 1, None));
    let left = tokio::time::timeout(Duration::from_millis(200), sending).await;
    assert!(left.is_err());
    assert!(collector.wait_for(|store| store.counts().received == 1, SOON).await);
    assert_eq!(collector.traces(), []);
}

#[tokio::test]
async fn waiting_ends_when_something_arrives_and_when_the_time_is_up() {
    let collector = collector().await;
    let nothing = collector.wait_for(|store| !store.traces().is_empty(), Duration::from_millis(20)).await;
    assert!(!nothing);
    let (arrived, answer) = tokio::join!(
        collector.wait_for(|store| store.transactions().count() == 1, SOON),
        post(&collector, envelope(1, 1, None)),
    );
    assert!(arrived);
    assert_eq!(answer.unwrap().status, StatusCode::OK);
}

#[test]
fn in_the_background_it_needs_no_runtime_and_stops_with_its_value() {
    let collector = Collector::start_in_background("127.0.0.1:0").unwrap();
    let addr = collector.addr();
    let _stream = post_blocking(&addr.to_string(), &envelope(1, 1, None));
    assert!(collector.wait_for_blocking(|store| store.counts().accepted == 1, SOON));
    assert!(!collector.wait_for_blocking(|store| store.counts().accepted == 2, Duration::from_millis(20)));
    assert_eq!(collector.dsn("1"), format!("http://public@{addr}/1"));
    drop(collector);
    assert!(TcpStream::connect(addr).is_err(), "nobody listens any more");
}

#[test]
fn the_binary_says_where_to_send_and_prints_what_came() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sentrace-collector"))
        .args(["--listen", "127.0.0.1:0", "--waterfall"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let dsn = lines.next().unwrap();
    let addr = dsn.rsplit_once('@').and_then(|(_, rest)| rest.strip_suffix("/1")).expect(&dsn).to_owned();
    let mut stream = post_blocking(&addr, &envelope(1, 1, None));
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    // A trace that never shows ends the test through the end of output, not by hanging.
    let (done, waiting) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        if waiting.recv_timeout(SOON) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            child.kill().unwrap();
        }
        child
    });
    let printed = lines.any(|line| line.starts_with("GET /1  ·  1.0 ms"));
    drop(done);
    let mut child = watchdog.join().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(printed, "the trace was not printed");
}

fn post_blocking(addr: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let head = format!(
        "POST /api/1/envelope/ HTTP/1.1\r\nhost: {addr}\r\nx-sentry-auth: {AUTH}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_at_once_lose_nothing() {
    let collector = std::sync::Arc::new(collector().await);
    let mut clients = tokio::task::JoinSet::new();
    for trace in 1..=50 {
        let collector = std::sync::Arc::clone(&collector);
        clients.spawn(async move {
            for number in 1..=4 {
                let parent = (number > 1).then(|| number - 1);
                assert_eq!(
                    post(&collector, envelope(trace, number, parent)).await.unwrap().status,
                    StatusCode::OK
                );
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    let traces = collector.traces();
    assert_eq!(traces.len(), 50);
    assert!(traces.iter().all(|trace| trace.transactions == 4 && trace.is_whole()), "{traces:?}");
    assert_eq!(collector.problems(), [], "what this test sends is right");
}
