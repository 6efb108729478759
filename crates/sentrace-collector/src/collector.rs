//! The handle of a running collector.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use sentrace_protocol::TraceId;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::behaviour::Behaviour;
use crate::model::{Counts, Remark, ReportedProblem, Reports, Trace, TraceSummary};
use crate::server;
use crate::shared::Shared;
use crate::store::{Limits, Store};

/// A local Sentry ingest that runs until this value is dropped.
///
/// In a test, on the test's own runtime:
///
/// ```
/// # use std::time::Duration;
/// use sentrace_collector::Collector;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let collector = Collector::start("127.0.0.1:0").await?;
/// let dsn = collector.dsn("1");
/// // Give `dsn` to the program under test, let it work, then:
/// let arrived = collector.wait_for(|store| store.traces().len() == 1, Duration::from_millis(10)).await;
/// assert!(!arrived, "nobody has sent anything here");
/// # Ok(())
/// # }
/// ```
///
/// Without a runtime, or with one that must not serve anything else:
///
/// ```
/// use sentrace_collector::Collector;
///
/// let collector = Collector::start_in_background("127.0.0.1:0")?;
/// assert!(collector.url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "the collector stops when this value is dropped"]
pub struct Collector {
    addr: SocketAddr,
    shared: Arc<Shared>,
    running: Running,
}

enum Running {
    Task(AbortHandle),
    /// Dropping the sender stops the runtime, then the thread ends.
    Thread(Option<(oneshot::Sender<()>, JoinHandle<()>)>),
}

impl Collector {
    /// Starts on the current tokio runtime, with the default [`Limits`].
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be resolved or bound.
    pub async fn start(addr: impl tokio::net::ToSocketAddrs) -> io::Result<Self> {
        Self::start_with(addr, Limits::default()).await
    }

    /// Starts on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be resolved or bound.
    pub async fn start_with(addr: impl tokio::net::ToSocketAddrs, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::new(limits));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self { addr, shared, running: Running::Task(task.abort_handle()) })
    }

    /// Starts on a thread of its own, with the default [`Limits`].
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be resolved or bound, or the thread cannot be
    /// started.
    pub fn start_in_background(addr: impl std::net::ToSocketAddrs) -> io::Result<Self> {
        Self::start_in_background_with(addr, Limits::default())
    }

    /// Starts on a thread of its own.
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be resolved or bound, or the thread cannot be
    /// started.
    pub fn start_in_background_with(addr: impl std::net::ToSocketAddrs, limits: Limits) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let shared = Arc::new(Shared::new(limits));
        let (stop, stopped) = oneshot::channel();
        let serve = server::serve(listener, Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("sentrace-collector".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { addr, shared, running: Running::Thread(Some((stop, thread))) })
    }

    /// Returns the address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the URL of its pages, such as `http://127.0.0.1:8969`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns the URL of the page of a trace.
    pub fn trace_url(&self, id: TraceId) -> String {
        format!("{}/traces/{id}", self.url())
    }

    /// Returns a DSN that sends to this collector, such as `http://public@127.0.0.1:8969/1`.
    ///
    /// Projects need no setup. Use one per service, named by at most 64 letters, digits, `-` and
    /// `_`.
    pub fn dsn(&self, project: &str) -> String {
        format!("http://public@{}/{project}", self.addr)
    }

    /// Returns all traces, most recently received first.
    pub fn traces(&self) -> Vec<TraceSummary> {
        self.shared.store().traces()
    }

    /// Returns a trace, assembled from what has been received so far.
    pub fn trace(&self, id: TraceId) -> Option<Trace> {
        self.shared.store().trace(id)
    }

    /// Returns what the doctor finds odd in all traces, most severe first. Its page is at
    /// `/doctor`.
    ///
    /// ```
    /// # use sentrace_collector::Collector;
    /// # let collector = Collector::start_in_background("127.0.0.1:0")?;
    /// // ... let the services that report here do their work, then:
    /// assert_eq!(collector.remarks(), []);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn remarks(&self) -> Vec<Remark> {
        self.shared.store().remarks()
    }

    /// Returns what the doctor finds odd in one trace, compared with all others, most severe first.
    pub fn remarks_of(&self, id: TraceId) -> Vec<Remark> {
        self.shared.store().remarks_of(id)
    }

    /// Returns totals of client reports and of items.
    pub fn reports(&self) -> Reports {
        self.shared.store().reports()
    }

    /// Returns the rules that envelopes broke, oldest first.
    pub fn problems(&self) -> Vec<ReportedProblem> {
        self.shared.store().problems().cloned().collect()
    }

    /// Returns how many envelopes were received, accepted and refused.
    pub fn counts(&self) -> Counts {
        self.shared.store().counts()
    }

    /// Returns how many envelopes were received, accepted or not.
    pub fn envelopes_received(&self) -> u64 {
        self.counts().received
    }

    /// Discards everything that was received.
    pub fn clear(&self) {
        self.shared.update(Store::clear);
    }

    /// Changes how the ingest answers. Requests that have already been read keep the behaviour that
    /// was set when they arrived.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared.set_behaviour(behaviour);
    }

    /// Waits until a condition holds. It is checked whenever something arrives.
    ///
    /// Returns `false` if it does not hold within `timeout`. The condition runs while the store is
    /// locked, so it must not call this collector.
    pub async fn wait_for(&self, condition: impl Fn(&Store) -> bool, timeout: Duration) -> bool {
        self.shared.wait_for(condition, timeout).await
    }

    /// Like [`wait_for`](Self::wait_for), for code that is not async. This blocks the thread, so it
    /// must not be called on the thread whose runtime the collector was [started](Self::start) on.
    pub fn wait_for_blocking(&self, condition: impl Fn(&Store) -> bool, timeout: Duration) -> bool {
        self.shared.wait_for_blocking(condition, timeout)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        match &mut self.running {
            Running::Task(task) => task.abort(),
            Running::Thread(thread) => {
                if let Some((stop, thread)) = thread.take() {
                    drop(stop);
                    // A panic of the thread has already been printed.
                    let _ = thread.join();
                }
            }
        }
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("addr", &self.addr).finish_non_exhaustive()
    }
}
