//! The layer's settings.

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
    fn standard() -> Self {
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

/// The settings of a layer, shared by its services. Axum clones a service for each request, so the default settings have no
/// reference counter: one that all threads write to costs more than anything else that a request does once.
#[derive(Clone)]
pub(super) enum SharedConfig {
    Default(&'static Config),
    Custom(Arc<Config>),
}

impl SharedConfig {
    pub(super) fn standard() -> Self {
        static STANDARD: LazyLock<Config> = LazyLock::new(Config::standard);
        Self::Default(&STANDARD)
    }

    /// Changes the settings.
    pub(super) fn with(self, set: impl FnOnce(&mut Config)) -> Self {
        let mut custom = match self {
            // The layer warns about preflights even if layers with default settings have warned.
            Self::Default(config) => Arc::new(Config { preflights: Arc::default(), ..config.clone() }),
            Self::Custom(config) => config,
        };
        set(Arc::make_mut(&mut custom));
        Self::Custom(custom)
    }
}

impl Deref for SharedConfig {
    type Target = Config;

    fn deref(&self) -> &Config {
        match self {
            Self::Default(config) => config,
            Self::Custom(config) => config,
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
