//! Whatever happens to the ingest, the network and the process: what was recorded is delivered, refused with 429, or
//! accounted for as lost, exactly.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use sentrace_core::deliver::Losses;
use sentrace_core::{Client, TraceLifecycle};
use sentrace_protocol::TransactionPayload;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ingest, LONG, Received, Reply, Tally, client_with, counted, record, wait_until};

/// As many posts as may be under way, and so be broken off at the deadline.
const UNDER_WAY: u64 = 100;

/// One run of a service.
#[derive(Debug, Clone)]
struct Run {
    /// Whether spans are sent by themselves, instead of transactions.
    streams: bool,
    /// How many of each sixteen answers are faults, and which.
    faults: usize,
    seed: usize,
    hangs: bool,
    /// For how long `before_send_transaction` blocks, at one of the transactions.
    hook_millis: u64,
    sample_rate: f64,
    /// Transactions, spans of each, and milliseconds until the next.
    rounds: Vec<(u64, u64, u64)>,
    queue_bytes: usize,
    retry_millis: u64,
    close_millis: u64,
    spool_bytes: Option<u64>,
}

impl Run {
    fn lifecycle(&self) -> TraceLifecycle {
        if self.streams { TraceLifecycle::Stream } else { TraceLifecycle::Static }
    }

    /// What so many transactions with so many spans each are; streamed spans belong to none.
    fn tally(&self, transactions: u64, spans: u64) -> Tally {
        let tally = Tally::of(transactions, spans);
        if self.streams { Tally { transactions: 0, ..tally } } else { tally }
    }
}

fn runs() -> impl Strategy<Value = Run> {
    let ingest = (0_usize..=12, any::<u16>(), any::<bool>(), prop::sample::select(vec![0.0, 0.4, 1.0, 1.0]));
    let rounds = prop::collection::vec((0_u64..60, 0_u64..5, 0_u64..20), 1..8);
    let queue_bytes = prop::sample::select(vec![0, 20_000, 1 << 20, 1 << 20]);
    let times = (prop::sample::select(vec![0, 300, 3_000]), prop::sample::select(vec![0, 50, 400, 30_000]));
    let spool_bytes = prop::option::of(prop::sample::select(vec![6_000, 1 << 20]));
    let hook_millis = prop::sample::select(vec![0, 0, 0, 100, 600]);
    let ingest = ((any::<bool>(), hook_millis), ingest);
    (ingest, rounds, queue_bytes, times, spool_bytes).prop_map(
        |(
            ((streams, hook_millis), (faults, seed, hangs, sample_rate)),
            rounds,
            queue_bytes,
            (retry_millis, close_millis),
            spool_bytes,
        )| Run {
            streams,
            faults,
            seed: seed.into(),
            // Who waits for ever must not be asked to wait long.
            hangs: hangs && close_millis < 1_000,
            hook_millis,
            sample_rate,
            rounds,
            queue_bytes,
            retry_millis,
            close_millis,
            spool_bytes,
        },
    )
}

fn reply(run: &Run, number: usize) -> Reply {
    let mixed = (number + run.seed * 1_000).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32;
    if mixed % 16 >= run.faults {
        return Reply::after(mixed as u64 / 16 % 8);
    }
    match mixed / 16 % 10 {
        0 => Reply::status(500),
        1 => Reply::status(413),
        2 => Reply::Answer(429, vec![("x-sentry-rate-limits", "0.05:transaction:key")]),
        3 => Reply::Answer(429, vec![("retry-after", "0.1")]),
        4 => Reply::Answer(200, vec![("x-sentry-rate-limits", "0.03::organization")]),
        5 | 6 => Reply::Close,
        7 => Reply::Raw(b"nonsense"),
        8 if run.hangs => Reply::Stall(b""),
        9 if (mixed / 160).is_multiple_of(8) => Reply::Endless(b"HTTP/1.1 102 Processing\r\n\r\n"),
        _ => Reply::After(Duration::from_millis(40), Box::new(Reply::status(503))),
    }
}

fn start(run: &Run, ingest: &Ingest, spool: &Path) -> (Client, Arc<Losses>) {
    client_with(&ingest.dsn(), |options| {
        let options = options
            .trace_lifecycle(run.lifecycle())
            .traces_sample_rate(run.sample_rate)
            .queue_bytes(run.queue_bytes)
            .retry_timeout(Duration::from_millis(run.retry_millis))
            .before_send_transaction(hook(run));
        match run.spool_bytes {
            Some(bytes) => options.spool_dir(spool).spool_bytes(bytes),
            None => options,
        }
    })
}

/// Lets everything pass, one of them after a while.
fn hook(run: &Run) -> impl Fn(&mut TransactionPayload<'_>) -> bool + Send + Sync + 'static {
    let (left, time) = (AtomicUsize::new(run.seed % 8), Duration::from_millis(run.hook_millis));
    move |_| {
        if left.fetch_sub(1, Ordering::SeqCst) == 0 {
            std::thread::sleep(time);
        }
        true
    }
}

/// What was read of each transaction or streamed span, by its id, in order.
fn by_id(received: &[Received]) -> BTreeMap<String, Vec<(Option<u16>, Tally)>> {
    let mut by_id = BTreeMap::<_, Vec<_>>::new();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for request in received {
        if let Some(transaction) = request.item("transaction") {
            let spans = transaction["spans"].as_array().unwrap().len() as u64;
            by_id
                .entry(text(&transaction["event_id"]))
                .or_default()
                .push((request.status, Tally::of(1, spans)));
        }
        let streamed = request.item("span").and_then(|item| item["items"].as_array());
        for span in streamed.into_iter().flatten() {
            let one = Tally { transactions: 0, spans: 1 };
            by_id.entry(text(&span["span_id"])).or_default().push((request.status, one));
        }
    }
    by_id
}

/// How many transactions a report of this request says are lost.
fn reported(request: &Received) -> Option<u64> {
    let events = request.item("client_report")?["discarded_events"].as_array()?;
    let transactions = events.iter().filter(|events| events["category"] == "transaction");
    Some(transactions.filter_map(|events| events["quantity"].as_u64()).sum())
}

fn has_files(spool: &Path) -> bool {
    let projects = std::fs::read_dir(spool).unwrap().map(|project| project.unwrap().path());
    projects
        .flat_map(|project| std::fs::read_dir(project).unwrap())
        .any(|file| file.unwrap().path().extension().is_some_and(|extension| extension != "lock"))
}

fn check(run: &Run) {
    let well = Arc::new(AtomicBool::new(false));
    let ingest = Ingest::start({
        let (run, well) = (run.clone(), Arc::clone(&well));
        move |number| if well.load(Ordering::SeqCst) { Reply::ok() } else { reply(&run, number) }
    });
    let spool = TempDir::new().unwrap();

    let (client, losses) = start(run, &ingest, spool.path());
    let mut recorded = Tally::default();
    for (transactions, spans, pause) in &run.rounds {
        for _ in 0..*transactions {
            record(&client, "task", *spans);
        }
        recorded = recorded + run.tally(*transactions, *spans);
        client.flush(Duration::from_millis(*pause));
    }
    // Then posts are broken off, some of which the ingest has answered at that very moment.
    let closed = client.close(Duration::from_millis(run.close_millis));
    let cut_short = !closed.complete;
    drop(client);
    wait_until("the worker to end", || Arc::strong_count(&losses) == 1);
    // Less time may be over before all of it is counted.
    if run.close_millis >= 400 {
        assert_eq!(closed.unreported, losses.peek(), "what could not be reported is what closing returns");
    }

    // The next start of the service, when all is well again.
    well.store(true, Ordering::SeqCst);
    let (client, later_losses) = start(run, &ingest, spool.path());
    wait_until("the spool to be sent", || !has_files(spool.path()));
    assert!(client.close(LONG).complete);

    let mut arrived = Tally::default();
    let mut broken_off = 0;
    for (id, tries) in by_id(&ingest.received()) {
        let answered = tries.iter().filter(|(status, _)| status.is_some()).count();
        // What was answered is settled; only what broke after the ingest had read it comes again.
        assert!(answered <= 1 || cut_short, "{id} was answered more than once: {tries:?}");
        broken_off += tries.len() - answered;
        let last = tries.iter().find(|(status, _)| matches!(status, Some(200 | 429)));
        arrived = arrived + last.map_or_else(Tally::default, |(_, tally)| *tally);
    }
    let lost = ingest.reported_losses() + counted(&losses) + counted(&later_losses);
    let accounted = arrived + lost;
    let told = format!("{arrived:?} arrived, {lost:?} lost, {broken_off} broken off, of {recorded:?}");
    if cut_short {
        let twice = accounted.transactions.checked_sub(recorded.transactions).expect(&told);
        // A report that is broken off at the end may have arrived as well.
        let reports = ingest.received().iter().filter_map(reported).max().unwrap_or(0);
        assert!(twice <= UNDER_WAY + reports && accounted.spans >= recorded.spans, "{told}");
    } else {
        assert_eq!(accounted, recorded, "{told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn recorded_is_delivered_or_refused_or_accounted_for(run in runs()) {
        check(&run);
    }
}
