//! How a layer is set.

use std::fmt;
use std::ops::{Deref, RangeInclusive};
use std::sync::{Arc, LazyLock};

use sentrace_core::{Client, DataCollection, Sampler};
use sentrace_protocol::TransactionSource;

use super::client_address::TrustedProxies;
use super::head::RequestHead;
use super::long_lived::LongLived;
use super::preflight::PreflightWatch;

pub(super) type Predicate = Arc<dyn Fn(&RequestHead<'_>) -> bool + Send + Sync>;
pub(super) type Namer = Arc<dyn Fn(&RequestHead<'_>) -> Option<(String, TransactionSource)> + Send + Sync>;

#[derive(Clone)]
pub(super) struct Config {
    pub(super) client: Option<Client>,
    pub(super) sample_rate: Option<f64>,
    pub(super) sampler: Option<Sampler>,
    pub(super) filter: Option<Predicate>,
    pub(super) namer: Option<Namer>,
    pub(super) trust: Trust,
    pub(super) ignored_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    pub(super) options_requests: bool,
    pub(super) head_requests: bool,
    pub(super) collection: DataCollection,
    pub(super) server_timing: bool,
    pub(super) late_route: bool,
    pub(super) trusted_proxies: TrustedProxies,
    pub(super) upgrades: LongLived,
    pub(super) event_streams: LongLived,
    pub(super) preflights: Arc<PreflightWatch>,
}

#[derive(Clone)]
pub(super) enum Trust {
    Always,
    Never,
    If(Predicate),
}

impl Config {
    /// As most services want it.
    fn usual() -> Self {
        Self {
            client: None,
            sample_rate: None,
            sampler: None,
            filter: None,
            namer: None,
            trust: Trust::Always,
            ignored_statuses: None,
            options_requests: false,
            head_requests: true,
            collection: DataCollection::new(),
            server_timing: false,
            late_route: false,
            trusted_proxies: TrustedProxies::none(),
            upgrades: LongLived::EndAtHead,
            event_streams: LongLived::Hold,
            preflights: Arc::default(),
        }
    }
}

/// A layer's settings, for all of its services. Axum clones a service for each request: what is set as usual is not
/// counted, since counters that all threads write to cost more than anything else that a request does once.
#[derive(Clone)]
pub(super) enum SharedConfig {
    Usual(&'static Config),
    Own(Arc<Config>),
}

impl SharedConfig {
    pub(super) fn usual() -> Self {
        static USUAL: LazyLock<Config> = LazyLock::new(Config::usual);
        Self::Usual(&USUAL)
    }

    /// The same with something set.
    pub(super) fn with(self, set: impl FnOnce(&mut Config)) -> Self {
        let mut own = match self {
            // It tells of its own preflights, whatever the layers without settings have told.
            Self::Usual(usual) => Arc::new(Config { preflights: Arc::default(), ..usual.clone() }),
            Self::Own(own) => own,
        };
        set(Arc::make_mut(&mut own));
        Self::Own(own)
    }
}

impl Deref for SharedConfig {
    type Target = Config;

    fn deref(&self) -> &Config {
        match self {
            Self::Usual(usual) => usual,
            Self::Own(own) => own,
        }
    }
}

impl fmt::Debug for SharedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("client", &self.client)
            .field("sample_rate", &self.sample_rate)
            .field("ignored_statuses", &self.ignored_statuses)
            .field("options_requests", &self.options_requests)
            .field("head_requests", &self.head_requests)
            .field("collection", &self.collection)
            .finish_non_exhaustive()
    }
}
