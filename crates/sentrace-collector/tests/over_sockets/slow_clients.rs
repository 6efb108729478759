//! Clients that take their time, or all of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use http::StatusCode;
use sentrace_collector::{Collector, Limits};

use crate::client::{envelope, get, post};

const SOON: Duration = Duration::from_secs(20);
const UNFINISHED: &str =
    "POST /api/1/envelope/?sentry_key=k HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{}\n";

/// Both ends of a connection are in this process, and many systems allow it 1,024 files by default.
fn raise_the_limit_of_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(4_096, |maximum| maximum.min(4_096));
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).unwrap();
    wanted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_that_never_finish_keep_nobody_waiting() {
    let files = raise_the_limit_of_open_files();
    let uploads = usize::try_from(files.saturating_sub(800)).unwrap().min(1_100);
    let collector = Collector::start("127.0.0.1:0").await.unwrap();
    let addr = collector.addr();
    let open = tokio::task::spawn_blocking(move || {
        let open = |_| {
            let mut stream = TcpStream::connect(addr).unwrap();
            // Given up at once, perhaps.
            let _ = stream.write_all(UNFINISHED.as_bytes());
            stream
        };
        (0..uploads).map(open).collect::<Vec<_>>()
    });
    let open = tokio::time::timeout(SOON * 3, open).await.expect("they all connect").unwrap();
    let start = Instant::now();
    let answer = tokio::time::timeout(SOON, post(&collector, envelope(1, 1, None))).await;
    assert_eq!(answer.expect("an answer").unwrap().status, StatusCode::OK);
    assert!(get(&collector, "/").await.text.contains("GET /1"));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    drop(open);
}

/// Writes, then something every 50 ms; returns what was answered until the end.
fn drip(collector: &Collector, first: &str, then: &str) -> (String, Duration) {
    let mut stream = TcpStream::connect(collector.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    let start = Instant::now();
    let mut answer = Vec::new();
    while start.elapsed() < SOON {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if stream.write_all(then.as_bytes()).is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    (String::from_utf8_lossy(&answer).into_owned(), start.elapsed())
}

#[test]
fn a_client_has_limited_time_for_its_request() {
    let limits = Limits::default().client_time(Duration::from_millis(1_500));
    let collector = Collector::start_in_background_with("127.0.0.1:0", limits).unwrap();
    let chunked = UNFINISHED.replace("content-length: 1000", "transfer-encoding: chunked");
    let chunked = chunked.replace("{}\n", "3\r\n{}\n\r\n");
    let table = [
        ("", "", "", "it says nothing"),
        ("GET / HTTP/1.1\r\n", "", "", "a head that does not go on"),
        ("GET / HTTP/1.1\r\n", "x: y\r\n", "", "a head that comes drop by drop"),
        ("GET /icon.svg HTTP/1.1\r\nhost: localhost\r\n\r\n", "", "200", "nothing after the first answer"),
        (UNFINISHED, "", "408", "a body that does not go on"),
        (UNFINISHED, "x", "408", "a body that comes drop by drop"),
        (&chunked, "1\r\nx\r\n", "408", "a body that comes chunk by chunk"),
    ];
    for (first, then, status, reason) in table {
        let (answer, took) = drip(&collector, first, then);
        let got = answer.get(9..12).unwrap_or_default();
        assert!(got == status || (status.is_empty() && got == "408"), "{reason}: {answer}");
        assert!(took < SOON, "{reason}: {took:?}");
    }
    let message = &collector.problems()[0].problem.message;
    assert!(message.contains("did not arrive within"), "{message}");
    assert_eq!(collector.counts().refused, 3);
}

#[test]
fn a_client_has_limited_time_to_read() {
    let limits = Limits::default().client_time(Duration::from_millis(500));
    let collector = Collector::start_in_background_with("127.0.0.1:0", limits).unwrap();
    // Enough answers that no socket buffers all of them.
    let requests = "GET /style.css HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(20_000);
    let mut stream = TcpStream::connect(collector.addr()).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    let start = Instant::now();
    while start.elapsed() < SOON {
        match stream.write_all(requests.as_bytes()) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            // The collector has ended it.
            Err(_) => break,
            Ok(()) => {}
        }
    }
    assert!(start.elapsed() < SOON, "the connection is still open");
}
