//! Where trace headers may go: `tracing_origins`, and not to Sentry itself.

mod origin;
mod target;
#[cfg(test)]
mod tests;

use std::fmt;

use self::origin::HostName;
pub use self::origin::Origin;
use self::target::Target;

/// The part of a client that concerns requests which leave the process.
pub struct PropagationTargets {
    origins: Vec<Origin>,
    own: Option<Own>,
}

/// Where reports go, so that reports about requests make no reports about themselves.
#[derive(Debug)]
struct Own {
    host: HostName,
    port: u16,
}

impl PropagationTargets {
    /// `own` is the host of the DSN and its port.
    pub(crate) fn new(origins: Option<Vec<Origin>>, own: Option<(&str, u16)>) -> Self {
        let this_machine = || ["localhost", "127.0.0.1", "::1"].map(Origin::host).to_vec();
        let own = own.and_then(|(host, port)| Some(Own { host: HostName::parse(host)?, port }));
        Self { origins: origins.unwrap_or_else(this_machine), own }
    }

    /// Returns `true` if trace headers may be sent to `url`: one of the `tracing_origins` matches, and it is not Sentry itself.
    ///
    /// A text without a host (`/path`) matches nothing, and so does a URL whose host depends on who reads it
    /// (`http://evil.test:[::1].inside.test/`): it must be known where a request goes before headers leave.
    pub fn allows(&self, url: &str) -> bool {
        Target::parse(url).is_some_and(|target| {
            !self.is_own_target(&target) && self.origins.iter().any(|origin| origin.matches_target(&target))
        })
    }

    /// Returns `true` if `url` belongs to the host that the DSN names: such requests are neither traced nor given headers.
    ///
    /// The ports of `http` and `https` count as one, since a request over `http` is usually redirected. Any other port is
    /// another service.
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
