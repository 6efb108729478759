//! What envelopes from anywhere cost in memory. Alone in its process, and one test: it looks at all
//! of the heap.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod envelopes;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use peak_alloc::PeakAlloc;
use sentrace_collector::{Collector, Limits};

use self::envelopes::{Row, compressed, rows};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// What is allowed for each byte of an envelope.
const PER_BYTE: usize = 10;
/// What is allowed besides: the least that an envelope may take, and the buffers of both ends of
/// the connection.
const BESIDES: usize = 768 * 1024;

#[test]
fn an_envelope_takes_at_most_ten_times_its_size_and_the_store_what_it_may() {
    for Row { reason, body, statuses } in rows(0) {
        let collector = Collector::start_in_background("127.0.0.1:0").unwrap();
        assert_bounded(&collector, reason, "identity", body.len(), &body, statuses, 0);
    }
    let rows_to_pack = ["1,000 segments", "8,000 spans", "an array of zeros", "spaces"];
    for Row { reason, body, statuses } in rows(0).into_iter().filter(|row| rows_to_pack.contains(&row.reason))
    {
        for (encoding, besides) in [("gzip", 0), ("deflate", 0), ("zstd", 0), ("br", 8 << 20)] {
            let collector = Collector::start_in_background("127.0.0.1:0").unwrap();
            let packed = compressed(encoding, &body);
            assert_bounded(&collector, reason, encoding, body.len(), &packed, statuses, besides);
        }
    }
    for encoding in ["gzip, gzip", "gzip,zstd", "br, identity"] {
        let collector = Collector::start_in_background("127.0.0.1:0").unwrap();
        let packed = compressed("gzip", &compressed("gzip", &vec![b' '; 50 << 20]));
        assert_bounded(&collector, "packed twice", encoding, packed.len(), &packed, &[415], 0);
    }
    the_store_takes_what_it_may();
}

fn assert_bounded(
    collector: &Collector,
    reason: &str,
    encoding: &str,
    size: usize,
    sent: &[u8],
    statuses: &[u16],
    besides: usize,
) {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let status = post(collector, encoding, sent);
    let peak = HEAP.peak_usage().saturating_sub(before);
    let kept = HEAP.current_usage().saturating_sub(before);
    println!("{reason}, {encoding}: {size} bytes, {status}, at most {peak}, kept {kept}");
    assert!(statuses.contains(&status), "{reason}, {encoding}: {status}");
    let allowed = size * PER_BYTE + BESIDES + besides;
    assert!(peak <= allowed, "{reason}, {encoding}: {size} bytes take {peak}, {} times as much", peak / size);
}

/// However small what comes is, and whatever is asked for in between.
fn the_store_takes_what_it_may() {
    let limit = 2 << 20;
    let limits = Limits::default().bytes(limit);
    for packed in 0..rows(0).len() {
        let collector = Collector::start_in_background_with("127.0.0.1:0", limits).unwrap();
        let before = HEAP.current_usage();
        let mut reason = "";
        for number in 0..6 {
            let Row { reason: of, body, .. } = rows(number).swap_remove(packed);
            reason = of;
            post(&collector, "identity", &body);
            drop(body);
            get(&collector, "/");
        }
        get(&collector, "/doctor");
        get(&collector, "/api/problems");
        let kept = HEAP.current_usage().saturating_sub(before);
        println!("{reason}: the store has {kept}");
        assert!(kept <= limit + limit / 2 + BESIDES, "{reason}: the store has {kept}");
    }
}

fn post(collector: &Collector, encoding: &str, body: &[u8]) -> u16 {
    let head = format!(
        "POST /api/1/envelope/?sentry_key=k HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: text/plain\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    exchange(collector, &head, body)
}

fn get(collector: &Collector, path: &str) -> u16 {
    exchange(collector, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"), b"")
}

fn exchange(collector: &Collector, head: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(collector.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // An answer may come before all has been sent.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut line = [0; 12];
    stream.read_exact(&mut line).unwrap();
    std::io::copy(&mut stream, &mut std::io::sink()).ok();
    std::str::from_utf8(&line[9..]).unwrap().parse().unwrap()
}
