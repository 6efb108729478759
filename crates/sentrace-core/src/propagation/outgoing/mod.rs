//! Where trace headers may be sent: to `tracing_origins`, and never to Sentry itself.

mod origin;
mod target;
#[cfg(test)]
mod tests;

use std::fmt;

use self::origin::HostName;
pub use self::origin::Origin;
use self::target::Target;

/// The hosts that may receive trace headers of a client's calls.
pub struct PropagationTargets {
    origins: Vec<Origin>,
    own: Option<Own>,
}

/// The ingest, whose own requests are not reported.
#[derive(Debug)]
struct Own {
    host: HostName,
    port: u16,
}

impl PropagationTargets {
    /// `own` is the DSN's host and port.
    pub(crate) fn new(origins: Option<Vec<Origin>>, own: Option<(&str, u16)>) -> Self {
        let this_machine = || ["localhost", "127.0.0.1", "::1"].map(Origin::host).to_vec();
        let own = own.and_then(|(host, port)| Some(Own { host: HostName::parse(host)?, port }));
        Self { origins: origins.unwrap_or_else(this_machine), own }
    }

    /// Returns `true` if trace headers may be sent to `url`: one of the `tracing_origins` matches,
    /// and it is not Sentry itself.
    ///
    /// Text without a host (`/path`) matches nothing. Neither does a URL whose host depends on the
    /// parser (`http://evil.test:[::1].inside.test/`): it must be certain where a request goes
    /// before headers are sent.
    pub fn allows(&self, url: &str) -> bool {
        Target::parse(url).is_some_and(|target| {
            !self.is_own_target(&target) && self.origins.iter().any(|origin| origin.matches_target(&target))
        })
    }

    /// Returns `true` if `url` has the DSN's host. Such requests are neither traced nor given
    /// headers.
    ///
    /// The ports of `http` and `https` count as one, since `http` is usually redirected. Any other
    /// port is another service.
    pub fn is_dsn_host(&self, url: &str) -> bool {
        Target::parse(url).is_some_and(|target| self.is_own_target(&target))
    }

    pub(crate) fn origins(&self) -> &[Origin] {
        &self.origins
    }

    fn is_own_target(&self, target: &Target<'_>) -> bool {
        let Some(Own { host, port }) = &self.own else { return false };
        let Some(target_port) = target.port_or_default() else { return false };
        let is_web = |port| matches!(port, 80 | 443);
        (target_port == *port || (is_web(target_port) && is_web(*port))) && host.is(target)
    }
}

impl fmt::Debug for PropagationTargets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PropagationTargets").field("origins", &self.origins).field("own", &self.own).finish()
    }
}
