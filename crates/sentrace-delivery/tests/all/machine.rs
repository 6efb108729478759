//! A machine that has nothing left to give.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Options};
use sentrace_delivery::Delivery;
use sentrace_protocol::Reason;
use tempfile::TempDir;

use crate::apart::{apart, apart_with};
use crate::support::Http2Server;
use crate::support::{Ingest, LONG, Tally, client_with, counted, only, record_many, wait_until};

#[test]
fn without_a_thread_to_look_up_a_host_the_network_is_down() {
    apart("machine::without_a_thread_to_look_up_a_host_the_network_is_down", || {
        let panics = Arc::<AtomicUsize>::default();
        std::panic::set_hook(Box::new({
            let panics = Arc::clone(&panics);
            move |panic| {
                eprintln!("{panic}");
                panics.fetch_add(1, Ordering::SeqCst);
            }
        }));
        for spools in [false, true] {
            let (ingest, folder) = (Ingest::ok(), TempDir::new().unwrap());
            let dsn = ingest.dsn().replace("127.0.0.1", "localhost");
            let (client, losses) = client_with(&dsn, |options| {
                let options = options.send_client_reports(false).retry_timeout(LONG);
                if spools { options.spool_dir(folder.path()) } else { options }
            });
            let limit = NoThreads::now();
            let recorded = record_many(&client, 20, 2);
            wait_until("failures", || client.stats().delivery.posts_failed >= 4);
            assert_eq!(counted(&losses), Tally::default(), "it is tried again");
            drop(limit);
            assert!(client.flush(LONG));
            ingest.wait_for(|received| received.len() >= 20);
            assert!(client.close(LONG).complete);
            assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()));
        }
        assert_eq!(panics.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn without_certificates_the_network_is_down() {
    let nowhere = [("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")];
    apart_with(&nowhere, "machine::without_certificates_the_network_is_down", || {
        let server = Http2Server::secure(&["h2"]);
        let dsn = format!("https://key@localhost:{}/1", server.address.port());
        let options = Options::new().dsn(dsn).traces_sample_rate(1.0).send_client_reports(false);
        let options = options.retry_timeout(Duration::from_millis(300));
        let dsn = options.delivery().dsn.unwrap().clone();
        let start = |options: &Options| {
            let losses = Arc::<Losses>::default();
            Delivery::start_or_degrade(Some(&dsn), options, Arc::clone(&losses))
                .map(|delivery| (delivery, losses))
        };
        let error = start(&options.clone().strict(true)).unwrap_err();
        assert!(error.is_of_machine() && error.to_string().contains("ca-certificates"), "{error}");
        let (delivery, losses) = start(&options).unwrap();
        let client = Client::new(options.clone(), Arc::new(delivery), Arc::clone(&losses)).unwrap();
        let recorded = record_many(&client, 10, 1);
        assert!(client.flush(LONG));
        assert_eq!(losses.peek(), only(Reason::NetworkError, recorded), "nobody is trusted");
        assert_eq!(server.versions(), []);
        assert!(client.stats().delivery.running);
        // What the message says to do.
        let options = options.strict(true).ca_certificates(server.authority.as_str());
        let (delivery, losses) = start(&options).unwrap();
        let client = Client::new(options, Arc::new(delivery), Arc::clone(&losses)).unwrap();
        record_many(&client, 10, 1);
        assert!(client.close(LONG).complete);
        assert_eq!((server.versions().len(), counted(&losses)), (10, Tally::default()));
    });
}

struct NoThreads(Rlimit);

impl NoThreads {
    fn now() -> Self {
        let before = getrlimit(Resource::Nproc);
        setrlimit(Resource::Nproc, Rlimit { current: Some(0), ..before }).unwrap();
        assert!(std::thread::Builder::new().spawn(|| {}).is_err(), "there are threads");
        Self(before)
    }
}

impl Drop for NoThreads {
    fn drop(&mut self) {
        setrlimit(Resource::Nproc, self.0).unwrap();
    }
}
