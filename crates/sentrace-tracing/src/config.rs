//! What can be set on the layer.

use std::fmt;
use std::sync::OnceLock;

use sentrace_core::Client;
use tracing::dispatcher::WeakDispatch;
use tracing::{Level, Metadata};

use crate::layers::Place;

/// Judges spans by what the code says of them.
pub(crate) type Filter = Box<dyn Fn(&Metadata<'_>) -> bool + Send + Sync>;

/// Turns `tracing` spans into spans of the current transaction, and sqlx's queries into `db.query` spans.
///
/// ```
/// use sentrace_tracing::TracingLayer;
/// use tracing_subscriber::prelude::*;
///
/// let subscriber = tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer())
///     .with(
///         TracingLayer::new()
///             .spans(|metadata| metadata.target().starts_with("shop")) // only the spans of our own code
///             .transactions(|metadata| metadata.name() == "nightly_report"),
///     );
/// # drop(subscriber);
/// ```
///
/// Filters of a layer work as everywhere: what `with_filter` keeps away does not exist for this layer. Let the events of
/// `sqlx::query` through where queries are to be seen; sqlx tells of them at `DEBUG`, unless it is told otherwise.
///
/// Two of these layers in one subscriber record everything once, however they got there, unless each has a
/// [client](Self::client) of its own: then each records what belongs to its client, and the transaction of the outer one is
/// current.
///
/// A layer may be removed at any time, as by a `reload` handle. What it made current then no longer is.
#[must_use = "a layer does nothing until it is part of a subscriber"]
pub struct TracingLayer {
    pub(crate) client: Option<Client>,
    pub(crate) spans: Filter,
    pub(crate) transactions: Option<Filter>,
    pub(crate) errors: bool,
    pub(crate) busy_times: bool,
    pub(crate) code: bool,
    pub(crate) database: bool,
    pub(crate) database_system: Option<&'static str>,
    pub(crate) place: Place,
    /// The whole subscriber, which also knows the spans that a filter keeps away from this layer.
    pub(crate) subscriber: OnceLock<WeakDispatch>,
}

impl Default for TracingLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl TracingLayer {
    /// The layer as most services want it.
    pub fn new() -> Self {
        Self {
            client: None,
            spans: Box::new(|metadata| *metadata.level() <= Level::INFO),
            transactions: None,
            errors: true,
            busy_times: false,
            code: false,
            database: true,
            database_system: None,
            place: Place::new(),
            subscriber: OnceLock::new(),
        }
    }

    /// Where transactions of this layer's own go, instead of the client that is found when one begins. Spans go where
    /// their transactions go.
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Which spans are recorded. Without it: those of the levels `INFO`, `WARN` and `ERROR`.
    pub fn spans(mut self, filter: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.spans = Box::new(filter);
        self
    }

    /// Which spans become transactions where there is no transaction to belong to; without it none do, but those with a
    /// field `sentry.transaction` or `sentry.trace`. Such a span also has to pass [`spans`](Self::spans).
    pub fn transactions(mut self, filter: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.transactions = Some(Box::new(filter));
        self
    }

    /// Whether an event of level `ERROR` marks the span that it happens in. On by default.
    pub fn errors(mut self, mark: bool) -> Self {
        self.errors = mark;
        self
    }

    /// Whether spans tell how long they were entered and how long they waited, in nanoseconds (`busy_ns`, `idle_ns`). Off
    /// by default.
    pub fn busy_times(mut self, record: bool) -> Self {
        self.busy_times = record;
        self
    }

    /// Whether spans tell where they are in the code (`code.module.name`, `code.file.path`, `code.line.number`). Off by
    /// default.
    pub fn code_location(mut self, record: bool) -> Self {
        self.code = record;
        self
    }

    /// Whether sqlx's queries become spans. On by default.
    pub fn database_spans(mut self, record: bool) -> Self {
        self.database = record;
        self
    }

    /// Which database sqlx's queries go to (`db.system`): `postgresql`, `mysql`, `sqlite`. sqlx does not tell; without
    /// this it is left out where the SQL could be that of several.
    ///
    /// It also decides what is a literal and hidden (see [`sql`](sentrace_protocol::sql)). Without it `SELECT "mail" FROM users` is
    /// shown as `SELECT ? FROM users`, because some databases read `"mail"` as text.
    pub fn database_system(mut self, system: &'static str) -> Self {
        self.database_system = Some(system);
        self
    }
}

impl fmt::Debug for TracingLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracingLayer")
            .field("client", &self.client)
            .field("errors", &self.errors)
            .field("busy_times", &self.busy_times)
            .field("code", &self.code)
            .field("database", &self.database)
            .field("database_system", &self.database_system)
            .finish_non_exhaustive()
    }
}
