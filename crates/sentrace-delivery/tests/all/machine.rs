//! A machine that has nothing left to give.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use crate::apart::apart;
use crate::support::{Ingest, LONG, Tally, client_with, counted, record_many, wait_until};

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
