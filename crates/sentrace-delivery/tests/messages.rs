//! What delivery warns of, and with which remedy. One test: a process has one handler for messages.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#[expect(dead_code, unused_imports, reason = "one test needs little of it")]
#[path = "all/support.rs"]
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sentrace_core::Options;
use sentrace_core::deliver::Losses;
use sentrace_core::diagnostics::{Level, set_handler};
use sentrace_delivery::Delivery;

use self::support::{DEAD_DSN, Http2Server, Ingest, LONG, Reply, client_with, record_many};

/// The warnings since they were asked for.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// The only one, which says all of this and none of that.
    fn one(&self, says: &[&str], hides: &[&str]) {
        let warnings = std::mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for text in says {
            assert!(warnings[0].contains(text), "{text:?} in {warnings:?}");
        }
        for text in hides {
            assert!(!warnings[0].contains(text), "{text:?} in {warnings:?}");
        }
    }
}

#[test]
fn each_warning_comes_once_and_names_its_remedy() {
    let warnings = Warnings::default();
    set_handler({
        let warnings = warnings.clone();
        move |level, message| {
            if level == Level::Warning {
                warnings.0.lock().unwrap().push(message.to_owned());
            }
        }
    });
    redirects(&warnings);
    certificates(&warnings);
    machines(&warnings);
    empty_spool_dir(&warnings);
}

fn redirects(warnings: &Warnings) {
    let secret = "https://me:hush@moved.example.com/api/1/envelope/?sentry_key=hush#hush";
    for (status, location, says) in [
        (301, secret, "moved.example.com/api/1/envelope/"),
        (302, "/login", "/login"),
        (307, "//other.example.com/", "other.example.com"),
        (308, "https://[::1]:8443/", "[::1]:8443"),
        (303, "not a URL at all", "not a URL at all"),
    ] {
        let ingest = Ingest::start(move |_| Reply::Answer(status, vec![("location", location)]));
        let (client, _) = client_with(&ingest.dsn(), |options| options.send_client_reports(false));
        record_many(&client, 3, 0);
        client.close(LONG);
        warnings.one(&[&status.to_string(), says, "the DSN"], &["hush"]);
    }
    let ingest = Ingest::start(|_| Reply::status(301));
    let (client, _) = client_with(&ingest.dsn(), |options| options.send_client_reports(false));
    record_many(&client, 3, 0);
    client.close(LONG);
    warnings.one(&["301", "debug"], &[]);
}

fn certificates(warnings: &Warnings) {
    let (server, other) = (Http2Server::secure(&["h2"]), Http2Server::secure(&["h2"]));
    let rows = [
        ("localhost", &other.authority, "option ca_certificates"),
        ("127.0.0.1", &server.authority, "use the host in the DSN that the ingest's certificate is made for"),
    ];
    for (host, authority, remedy) in rows {
        let dsn = format!("https://key@{host}:{}/1", server.address.port());
        let (client, _) = client_with(&dsn, |options| {
            options.send_client_reports(false).ca_certificates(authority.as_str())
        });
        record_many(&client, 3, 0);
        client.close(LONG);
        warnings.one(&["invalid peer certificate", remedy], &[]);
    }
}

fn machines(warnings: &Warnings) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let options = Options::new().dsn(DEAD_DSN).spool_dir(file.path()).retry_timeout(Duration::ZERO);
    let dsn = options.delivery().dsn.unwrap().clone();
    let start = |options: &Options| {
        Delivery::start_or_degrade(Some(&dsn), options, Arc::<Losses>::default()).map(drop)
    };
    start(&options).unwrap();
    warnings.one(&["option spool_dir", "lost instead of kept"], &[]);
    let error = start(&options.clone().strict(true)).unwrap_err();
    assert!(error.is_of_machine() && error.to_string().contains("option spool_dir"), "{error}");
    let error = start(&options.proxy("http://exa mple")).unwrap_err();
    assert!(!error.is_of_machine() && error.to_string().contains("option proxy"), "{error}");
    assert!(warnings.0.lock().unwrap().is_empty(), "what is an error is not a warning as well");
}

fn empty_spool_dir(warnings: &Warnings) {
    for blank in ["", " "] {
        let options = Options::new().dsn(DEAD_DSN).spool_dir(blank);
        assert_eq!(options.delivery().spool_dir, None);
    }
    warnings.one(&["option spool_dir", "\"\""], &[]);
}
