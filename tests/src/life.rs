//! A process that keeps, drops or forks its client, for tests of whole processes:
//! `sentrace-test-life <what it does>`. sentrace's messages are printed to stderr.

use std::time::Duration;

use sentrace::{Guard, Options, start_transaction};

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

/// Longer than the time after which dropping a guard is not considered a mistake, and than other
/// threads of an ending process keep running.
const LONG: Duration = Duration::from_millis(2_300);

fn main() -> Result {
    match std::env::args().nth(1).as_deref() {
        Some("dropped at once") => {
            let _ = init()?;
        }
        Some("dropped at once, then used") => {
            let _ = init()?;
            for _ in 0..3 {
                work();
            }
        }
        Some("kept for a while in a function, then used") => {
            drop_after(init()?, LONG);
            std::thread::spawn(work).join().map_err(|_| "it panicked")?;
        }
        Some("used, dropped, and used again") => {
            let guard = init()?;
            work();
            drop(guard);
            work();
        }
        Some("used, dropped, and used again long after by another thread") => {
            let guard = init()?;
            work();
            drop(guard);
            std::thread::sleep(LONG);
            std::thread::spawn(work).join().map_err(|_| "it panicked")?;
        }
        Some("a short cron job") => {
            let _guard = init()?;
            work();
        }
        Some("a short cron job that is not sampled") => {
            let _guard = sentrace::init(options().traces_sample_rate(1e-9))?;
            work();
        }
        Some("a short cron job with an idle transaction") => {
            let _guard = init()?;
            sentrace::start_idle_transaction("cron");
        }
        Some("nothing to do for a while") => drop_after(init()?, LONG),
        Some("a thread goes on while it ends") => {
            let guard = init()?;
            work();
            drop(guard);
            std::thread::spawn(work).join().map_err(|_| "it panicked")?;
        }
        Some("tracing is off") => {
            let _ = sentrace::init(Options::new().dsn("http://key@127.0.0.1:9/1"))?;
            work();
        }
        Some("no project") => {
            let _ = sentrace::init(Options::new().traces_sample_rate(1.0))?;
            work();
        }
        Some("closed by hand") => {
            let closed = init()?.close(Duration::ZERO);
            work();
            drop(closed);
        }
        Some("fails at once") => {
            let _guard = init()?;
            std::panic::resume_unwind(Box::new("a failed start"));
        }
        Some("a job each time with its own guard") => {
            for _ in 0..3 {
                let _guard = init()?;
                work();
            }
        }
        Some("the second of two is dropped") => {
            let _first = init()?;
            drop(init()?);
            work();
        }
        #[cfg(unix)]
        Some("fork") => forked::run()?,
        other => return Err(format!("not something to do: {other:?}").into()),
    }
    Ok(())
}

fn options() -> Options {
    // There is no server to send to, so the timeout is as short as possible.
    let options = Options::new().dsn("http://key@127.0.0.1:9/1").shutdown_timeout(Duration::from_millis(20));
    options.traces_sample_rate(1.0)
}

fn init() -> std::result::Result<Guard, sentrace::InitError> {
    sentrace::init(options())
}

fn work() {
    let transaction = start_transaction("work", "task");
    transaction.start_span("task", "step").finish();
}

fn drop_after(guard: Guard, time: Duration) {
    std::thread::sleep(time);
    drop(guard);
}

/// Prints the ids of parent and child, each line with its process.
#[cfg(unix)]
mod forked {
    use std::io::Write as _;
    use std::time::{Duration, Instant};

    use fork::Fork;
    use sentrace::testing::Capture;
    use sentrace::{Client, Options, Transaction};

    const MANY: usize = 200;

    pub(crate) fn run() -> super::Result {
        let options = Options::new().traces_sample_rate(1.0).idle_timeout(Duration::from_millis(5));
        let (client, capture) = Capture::client(options)?;
        client.bind();
        let unsampled = Capture::client(Options::new().traces_sample_rate(0.0))?.0;
        // In the parent, the timer of idle transactions runs, the generator is seeded, and a
        // transaction is open.
        let idle = client.start_idle_transaction("before");
        let open = client.start_transaction("open", "task");
        open.start_span("task", "before").finish();
        print_ids("before", &client, &unsampled, &open)?;
        match fork::fork()? {
            Fork::Child => {
                print_ids("child", &client, &unsampled, &open)?;
                idle.finish();
                capture.take();
                let begun = Instant::now();
                client.start_idle_transaction("in the child");
                let ended = capture.wait_for(1, Duration::from_secs(10));
                println!("child-idle {}", ended.len());
                std::io::stdout().flush()?;
                eprintln!("the idle transaction took {:?}", begun.elapsed());
                // Skips the destructors of the parent.
                std::process::exit(0);
            }
            Fork::Parent(child) => {
                print_ids("parent", &client, &unsampled, &open)?;
                fork::waitpid(child)?;
            }
        }
        Ok(())
    }

    fn print_ids(who: &str, client: &Client, unsampled: &Client, open: &Transaction) -> super::Result {
        let mut out = Vec::new();
        // The next span is a child of what was open before.
        for _ in 0..MANY {
            let span = open.start_span("task", "inherited");
            writeln!(out, "{who} span {}", span.span_id().ok_or("no id")?)?;
        }
        for client in [client, unsampled] {
            for _ in 0..MANY {
                let transaction = client.start_new_trace().start_transaction("work", "task");
                writeln!(out, "{who} trace {}", transaction.trace_id().ok_or("no id")?)?;
                writeln!(out, "{who} span {}", transaction.span_id().ok_or("no id")?)?;
            }
        }
        std::io::stdout().write_all(&out)?;
        std::io::stdout().flush()?;
        Ok(())
    }
}
