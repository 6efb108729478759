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

/// A local Sentry ingest that runs as long as this value lives.
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
/// Where there is no runtime, or one that must not serve anything else:
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
    /// When the address cannot be resolved or bound.
    pub async fn start(addr: impl tokio::net::ToSocketAddrs) -> io::Result<Self> {
        Self::start_with(addr, Limits::default()).await
    }

    /// Starts on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be resolved or bound.
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
    /// When the address cannot be resolved or bound, or the thread cannot be started.
    pub fn start_in_background(addr: impl std::net::ToSocketAddrs) -> io::Result<Self> {
        Self::start_in_background_with(addr, Limits::default())
    }

    /// Starts on a thread of its own.
    ///
    /// # Errors
    ///
    /// When the address cannot be resolved or bound, or the thread cannot be started.
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

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where its pages are, as `http://127.0.0.1:8969`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The page of one trace.
    pub fn trace_url(&self, id: TraceId) -> String {
        format!("{}/traces/{id}", self.url())
    }

    /// A DSN that sends here, as `http://public@127.0.0.1:8969/1`.
    ///
    /// Projects need no set-up. Use one per service; letters, digits, `-` and `_`, at most 64.
    pub fn dsn(&self, project: &str) -> String {
        format!("http://public@{}/{project}", self.addr)
    }

    /// All traces, the latest to arrive first.
    pub fn traces(&self) -> Vec<TraceSummary> {
        self.shared.store().traces()
    }

    /// One trace, assembled from what has come so far.
    pub fn trace(&self, id: TraceId) -> Option<Trace> {
        self.shared.store().trace(id)
    }

    /// What the doctor finds odd in all traces, the gravest first; its page is at `/doctor`.
    ///
    /// ```
    /// # use sentrace_collector::Collector;
    /// # let collector = Collector::start_in_background("127.0.0.1:0")?;
    /// // ... let the services work that report here, then:
    /// assert_eq!(collector.remarks(), []);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn remarks(&self) -> Vec<Remark> {
        self.shared.store().remarks()
    }

    /// What the doctor finds odd in one trace, compared with all others, the gravest first.
    pub fn remarks_of(&self, id: TraceId) -> Vec<Remark> {
        self.shared.store().remarks_of(id)
    }

    /// Sums of the client reports and of the items.
    pub fn reports(&self) -> Reports {
        self.shared.store().reports()
    }

    /// What Sentry would not have liked, oldest first.
    pub fn problems(&self) -> Vec<ReportedProblem> {
        self.shared.store().problems().cloned().collect()
    }

    /// How many envelopes came and what became of them.
    pub fn counts(&self) -> Counts {
        self.shared.store().counts()
    }

    /// How many envelopes arrived, whatever became of them.
    pub fn envelopes_received(&self) -> u64 {
        self.counts().received
    }

    /// Forgets everything that was received.
    pub fn clear(&self) {
        self.shared.update(Store::clear);
    }

    /// Changes how the ingest answers from now on. Requests that it has read already keep what
    /// was set when they came.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared.set_behaviour(behaviour);
    }

    /// Waits until a condition holds, looking whenever something arrives.
    ///
    /// Returns `false` when it does not hold after `timeout`. The condition runs under the store's
    /// lock: do not call this collector in it.
    pub async fn wait_for(&self, condition: impl Fn(&Store) -> bool, timeout: Duration) -> bool {
        self.shared.wait_for(condition, timeout).await
    }

    /// [`wait_for`](Self::wait_for) where nothing is async. It blocks the thread, so a collector
    /// that was [started](Self::start) on this very thread's runtime would get nothing to read.
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
                    // A panic over there has been printed; there is nobody to hand it to.
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
