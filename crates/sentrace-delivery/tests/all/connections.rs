//! TLS, HTTP/2 and proxies.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::Version;
use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Options};
use sentrace_protocol::Reason;

use crate::support::Http2Server;
use crate::support::{
    Ingest, LONG, Reply, Tally, client_with, counted, only, record_many, silent_client, wait_until,
};

/// A host that no name server knows: only a proxy can get there.
const FAR_DSN: &str = "http://9c1f0d3e@ingest.invalid/base/42";

fn secure_client(server: &Http2Server, edit: impl FnOnce(Options) -> Options) -> (Client, Arc<Losses>) {
    let dsn = format!("https://key@localhost:{}/1", server.address.port());
    client_with(&dsn, |options| {
        edit(options.send_client_reports(false).ca_certificates(server.authority.as_str()))
    })
}

#[test]
fn over_tls_http2_is_spoken_where_the_ingest_can() {
    for (protocols, expected) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let server = Http2Server::secure(protocols);
        let (client, losses) = secure_client(&server, |options| options);
        record_many(&client, 200, 2);
        assert!(client.flush(LONG), "{protocols:?}");
        assert_eq!(counted(&losses), Tally::default(), "{protocols:?}");
        assert_eq!(server.versions(), vec![expected; 200], "{protocols:?}");
        if expected == Version::HTTP_2 {
            assert!(server.connections() <= 4, "all on few connections: {}", server.connections());
        }
    }
}

#[test]
fn who_is_not_trusted_is_told_nothing() {
    let (server, other) = (Http2Server::secure(&["h2"]), Http2Server::secure(&["h2"]));
    let (client, losses) =
        secure_client(&server, |options| options.ca_certificates(other.authority.as_str()));
    let recorded = record_many(&client, 3, 1);
    assert!(client.flush(LONG));
    assert_eq!(losses.peek(), only(Reason::NetworkError, recorded));
    assert_eq!(server.versions(), []);
}

#[test]
fn many_answers_are_waited_for_on_one_connection() {
    let server = Http2Server::plain(Duration::from_millis(50));
    let dsn = format!("http://key@{}/1", server.address);
    let (client, losses) = client_with(&dsn, |options| options.http2_prior_knowledge(true));
    record_many(&client, 1_000, 2);
    let start = Instant::now();
    assert!(client.flush(LONG));
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "one after the other takes 50 s: {:?}",
        start.elapsed()
    );
    assert_eq!((server.versions(), counted(&losses)), (vec![Version::HTTP_2; 1_000], Tally::default()));
    assert_eq!(server.connections(), 1);
}

#[test]
fn where_the_connection_of_all_breaks_one_other_is_opened_for_all() {
    let server = Http2Server::plain(Duration::from_millis(300));
    let wire = Wire::to(server.address);
    let (client, losses) =
        client_with(&format!("http://key@{}/1", wire.address), |options| options.http2_prior_knowledge(true));
    record_many(&client, 1, 0);
    assert!(client.flush(LONG));
    let before = wire.bytes.load(Ordering::SeqCst);
    record_many(&client, 50, 2);
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| client.flush(LONG));
        wait_until("posts under way", || wire.bytes.load(Ordering::SeqCst) > before + 2_000);
        wire.cut();
        assert!(flush.join().unwrap());
    });
    assert_eq!((server.connections(), counted(&losses)), (2, Tally::default()));
}

#[test]
fn a_connection_that_is_going_costs_one_other() {
    let rows = [
        (Http2Server::secure_going_after(&["h2"], 10), true, 10, "TLS"),
        (Http2Server::secure_going_after(&["h2"], 100), true, 100, "TLS, seldom"),
        (Http2Server::plain_going_after(10), false, 10, "plain"),
        (Http2Server::secure_going_after(&["h2"], 1), true, 1, "TLS, always"),
    ];
    for (server, secure, requests, reason) in rows {
        let (client, losses) = if secure {
            secure_client(&server, |options| options.retry_timeout(LONG))
        } else {
            let dsn = format!("http://key@{}/1", server.address);
            client_with(&dsn, |options| options.http2_prior_knowledge(true).retry_timeout(LONG))
        };
        record_many(&client, 400, 1);
        assert!(client.flush(LONG), "{reason}");
        // What breaks after the server has read it comes again.
        assert!(server.versions().len() >= 400, "{reason}");
        assert_eq!(counted(&losses), Tally::default(), "{reason}");
        // Fewer than one for each that went: posts that are under way wait for the next.
        let most = 400 / requests.max(4) + 10;
        assert!(server.connections() <= most, "{reason}: {} connections", server.connections());
    }
}

#[test]
fn a_proxy_is_sent_through() {
    let proxy = Ingest::ok();
    let url = proxy.url("").replace("//", "//user:secret@");
    let (client, losses) = client_with(FAR_DSN, |options| options.proxy(url));
    let recorded = record_many(&client, 5, 1);
    assert!(client.flush(LONG));
    assert_eq!((proxy.accepted(), counted(&losses)), (recorded, Tally::default()));
    for request in proxy.received() {
        assert_eq!(request.line, "POST http://ingest.invalid/base/api/42/envelope/ HTTP/1.1");
        assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
    }
}

#[test]
fn tls_goes_through_a_proxy_that_cannot_read_it() {
    let server = Http2Server::secure(&["h2", "http/1.1"]);
    let (proxy, _) = tunnel(server.address);
    let (client, losses) = client_with("https://key@ingest.invalid/1", |options| {
        options.ca_certificates(server.authority.as_str()).proxy(format!("http://{proxy}"))
    });
    record_many(&client, 20, 1);
    assert!(client.flush(LONG));
    assert_eq!((server.versions(), counted(&losses)), (vec![Version::HTTP_2; 20], Tally::default()));
}

#[test]
fn a_tunnel_is_asked_for_with_name_and_password() {
    let server = Http2Server::secure(&["http/1.1"]);
    let (proxy, headers) = tunnel(server.address);
    let (client, losses) = client_with("https://key@ingest.invalid/1", |options| {
        let proxy = format!("http://user:secret@{proxy}");
        options.ca_certificates(server.authority.as_str()).proxy(proxy)
    });
    record_many(&client, 1, 2);
    assert!(client.flush(LONG));
    assert_eq!((server.versions(), counted(&losses)), (vec![Version::HTTP_11], Tally::default()));
    let headers = headers.lock().unwrap();
    let auth = headers.iter().find(|line| line.to_ascii_lowercase().starts_with("proxy-authorization:"));
    assert!(auth.is_some_and(|line| line.ends_with("Basic dXNlcjpzZWNyZXQ=")), "{headers:?}");
}

#[test]
fn a_proxy_may_want_tls_itself() {
    let proxy = Http2Server::secure(&["h2", "http/1.1"]);
    let (client, losses) = client_with(FAR_DSN, |options| {
        let url = format!("https://localhost:{}", proxy.address.port());
        options.ca_certificates(proxy.authority.as_str()).proxy(url)
    });
    record_many(&client, 20, 2);
    assert!(client.flush(LONG));
    assert_eq!((proxy.versions(), counted(&losses)), (vec![Version::HTTP_11; 20], Tally::default()));
}

#[test]
fn a_kept_connection_that_was_closed_meanwhile_loses_nothing() {
    let ingest = Ingest::start(|_| Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"));
    let (client, losses) = silent_client(&ingest.dsn());
    // One after the other: where two are kept, the second try may go out on the other, which is closed as well.
    for _ in 0..60 {
        record_many(&client, 1, 0);
        assert!(client.flush(LONG));
    }
    assert_eq!(counted(&losses), Tally::default());
    assert!(ingest.connections() >= 60, "each was used once: {}", ingest.connections());
}

#[test]
fn an_address_of_ipv6_is_posted_to() {
    // Not every machine has one.
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
    let port = listener.local_addr().unwrap().port();
    let (client, losses) = silent_client(&format!("http://key@[::1]:{port}/1"));
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let lines = read_head(&mut BufReader::new(&stream));
        (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        lines
    });
    record_many(&client, 1, 0);
    assert!(client.flush(LONG));
    assert_eq!(counted(&losses), Tally::default());
    let lines = server.join().unwrap();
    assert_eq!(lines[0], "POST /api/1/envelope/ HTTP/1.1");
    assert!(lines.contains(&format!("host: [::1]:{port}")), "{lines:?}");
}

#[test]
fn a_proxy_of_the_environment_is_heeded_but_not_towards_this_machine() {
    let (proxy, near) = (Ingest::ok(), Ingest::ok());
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "connections::sends_far_and_near", "--ignored"])
        .env("HTTP_PROXY", proxy.url(""))
        .env("http_proxy", proxy.url(""))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env("NEAR_DSN", near.dsn())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!((proxy.accepted(), near.accepted()), (Tally::of(3, 1), Tally::of(2, 1)));
}

/// The environment is the process's: this is one of its own.
#[test]
#[ignore = "started by the test above"]
fn sends_far_and_near() {
    let Ok(near_dsn) = std::env::var("NEAR_DSN") else { return };
    let (far, _) = client_with(FAR_DSN, |options| options);
    record_many(&far, 3, 1);
    assert!(far.flush(LONG));
    let (near, _) = client_with(&near_dsn, |options| options);
    record_many(&near, 2, 1);
    assert!(near.flush(LONG));
}

/// Passes on all that comes, until it is cut.
struct Wire {
    address: SocketAddr,
    bytes: Arc<AtomicUsize>,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let wire =
            Self { address: listener.local_addr().unwrap(), bytes: Arc::default(), ends: Arc::default() };
        let (bytes, ends) = (Arc::clone(&wire.bytes), Arc::clone(&wire.ends));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let there = TcpStream::connect(target).unwrap();
                ends.lock().unwrap().extend([stream.try_clone().unwrap(), there.try_clone().unwrap()]);
                let (mut from, mut to) = (stream.try_clone().unwrap(), there.try_clone().unwrap());
                let bytes = Arc::clone(&bytes);
                std::thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while let Ok(read @ 1..) = from.read(&mut buffer) {
                        bytes.fetch_add(read, Ordering::SeqCst);
                        if to.write_all(&buffer[..read]).is_err() {
                            break;
                        }
                    }
                });
                std::thread::spawn(move || std::io::copy(&mut &there, &mut &stream));
            }
        });
        wire
    }

    fn cut(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            let _ = end.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// A proxy that connects whoever asks to `target`, wherever they want to go, and the headers it was asked with.
fn tunnel(target: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let headers: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&headers);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let lines = read_head(&mut reader);
                assert_eq!(lines[0], "CONNECT ingest.invalid:443 HTTP/1.1");
                seen.lock().unwrap().extend(lines);
                (&stream).write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
                let (there, back) = (TcpStream::connect(target).unwrap(), stream.try_clone().unwrap());
                let mut from_there = there.try_clone().unwrap();
                std::thread::spawn(move || std::io::copy(&mut from_there, &mut &back));
                let _ = std::io::copy(&mut reader, &mut &there);
            });
        }
    });
    (address, headers)
}

/// The lines up to the empty one.
fn read_head(reader: &mut impl BufRead) -> Vec<String> {
    reader.lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect()
}
