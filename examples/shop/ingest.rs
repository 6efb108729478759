//! The DSNs and identities of the services.

use sentrace::protocol::Dsn;
use sentrace::{Client, Options};
use sentrace_collector::Collector;

use crate::Error;
use crate::relay::Relay;

/// The collector, or with `SENTRY_DSN` a relay that forwards everything to the collector and to
/// that DSN.
pub(crate) struct Ingest {
    authority: String,
    public_key: String,
    org_id: Option<String>,
    relay: Option<Relay>,
}

impl Ingest {
    pub(crate) async fn new(collector: &Collector) -> Result<Self, Error> {
        let also = std::env::var("SENTRY_DSN").ok().filter(|dsn| !dsn.trim().is_empty());
        let Some(also) = also else {
            let authority = collector.addr().to_string();
            return Ok(Self { authority, public_key: "public".to_owned(), org_id: None, relay: None });
        };
        let dsn = Dsn::parse(&also)?;
        // Key and organisation are in the sampling context of every trace, where Sentry expects its
        // own.
        let (public_key, org_id) = (dsn.public_key().to_owned(), dsn.org_id().map(str::to_owned));
        let relay = Relay::start(collector.url(), dsn).await?;
        Ok(Self { authority: relay.addr().to_string(), public_key, org_id, relay: Some(relay) })
    }

    /// Every service has its own project, as in a real Sentry organisation.
    /// A client for one of the services in this process. Where a process is one service,
    /// `sentrace::init` makes
    pub(crate) fn dsn(&self, service: &str) -> String {
        format!("http://{}@{}/{service}", self.public_key, self.authority)
    }

    /// A client for one of the services in this process. Where a process is one service,
    /// `sentrace::init` makes Creates a client for one of the services in this process. In a
    /// process with a single service, `sentrace::init` creates
    /// a global client instead.
    pub(crate) fn client(&self, service: &str) -> Result<Client, Error> {
        Ok(sentrace::client(self.options(service))?)
    }

    fn options(&self, service: &str) -> Options {
        let options = Options::new()
            .dsn(self.dsn(service))
            .release(release(service))
            .environment(ENVIRONMENT)
            .server_name(format!("{service}-1"))
            // Everything is recorded here; a busy service would sample.
            .traces_sample_rate(1.0)
            // Only the inventory may receive trace headers.
            .tracing_origins([sentrace::Origin::host("127.0.0.1")]);
        match &self.org_id {
            Some(org_id) => options.org_id(org_id),
            None => options,
        }
    }

    /// Returns the results of the reports to `SENTRY_DSN`.
    pub(crate) fn summary(&self) -> Option<String> {
        self.relay.as_ref().map(Relay::summary)
    }
}

pub(crate) const ENVIRONMENT: &str = "demo";

/// Sentry has no service names: the part before `@` distinguishes services.
pub(crate) fn release(service: &str) -> String {
    format!("{service}@1.0.0")
}
