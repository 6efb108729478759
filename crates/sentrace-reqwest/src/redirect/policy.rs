//! The redirect policy of a guarded client.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use http::StatusCode;
use reqwest::Url;
use reqwest::redirect::{Action, Attempt, Policy};
use sentrace_core::adapter::catch_panic;

use super::chain::{self, HopDecision, RedirectChain};

/// The redirect policy of a guarded client: [`reqwest::redirect::Policy`] in a form that can be combined with the guard.
///
/// reqwest's own type consumes the attempt when it decides, so a guard could not use it and still stop a hop. A closure written
/// for `Policy::custom` compiles here unchanged. The default follows ten hops, as in reqwest.
///
/// ```
/// use sentrace_reqwest::RedirectPolicy;
///
/// let policy = RedirectPolicy::custom(|attempt| {
///     if attempt.previous().len() > 5 {
///         attempt.error("too many redirects")
///     } else if attempt.url().host_str() == Some("metadata.internal") {
///         attempt.stop()
///     } else {
///         attempt.follow()
///     }
/// });
/// let http = sentrace_reqwest::client_with_redirect_policy(reqwest::Client::builder(), policy)?.build();
/// # Ok::<(), sentrace_reqwest::ClientError>(())
/// ```
pub struct RedirectPolicy(Kind);

enum Kind {
    None,
    Limited(usize),
    Custom(Box<dyn Fn(RedirectAttempt<'_>) -> RedirectAction + Send + Sync>),
}

impl RedirectPolicy {
    /// Follows no redirect: the 3xx response is returned.
    pub const fn none() -> Self {
        Self(Kind::None)
    }

    /// Follows at most `max` hops. One more is reqwest's error "too many redirects".
    pub const fn limited(max: usize) -> Self {
        Self(Kind::Limited(max))
    }

    /// Calls `decide` for every hop. It must end loops itself. If it panics, the redirect is not followed.
    pub fn custom<F>(decide: F) -> Self
    where
        F: Fn(RedirectAttempt<'_>) -> RedirectAction + Send + Sync + 'static,
    {
        Self(Kind::Custom(Box::new(decide)))
    }

    /// Converts to a policy of reqwest that applies this one, and the guard for calls that need it.
    pub(crate) fn guarded(self) -> Policy {
        Policy::custom(move |attempt| match chain::take_current() {
            Ok(None) => self.action(attempt, None),
            Ok(Some(mut current)) => {
                let action = self.action(attempt, Some(&mut current));
                chain::put_back(current);
                action
            }
            // Without the thread-local it is unknown what the request carries.
            Err(_) => attempt.stop(),
        })
    }

    fn action(&self, attempt: Attempt<'_>, current: Option<&mut RedirectChain>) -> Action {
        let earlier = current.as_ref().map_or(&[][..], |chain| chain.earlier());
        match self.judge(&attempt, earlier) {
            Verdict::Follow => match current.map(|chain| chain.follow(&attempt)) {
                None | Some(HopDecision::Follow) => attempt.follow(),
                Some(HopDecision::Reissue) => attempt.stop(),
            },
            Verdict::Stop => attempt.stop(),
            // One hop is behind every attempt, so this is always the error, with a type that only reqwest can make.
            Verdict::TooMany => Policy::limited(0).redirect(attempt),
            Verdict::Error(error) => attempt.error(error),
        }
    }

    fn judge(&self, attempt: &Attempt<'_>, earlier: &[Url]) -> Verdict {
        match &self.0 {
            Kind::None => Verdict::Stop,
            Kind::Limited(max) if earlier.len() + attempt.previous().len() > *max => Verdict::TooMany,
            Kind::Limited(_) => Verdict::Follow,
            Kind::Custom(decide) => {
                let previous = match earlier {
                    [] => Cow::Borrowed(attempt.previous()),
                    _ => Cow::Owned([earlier, attempt.previous()].concat()),
                };
                let asked = RedirectAttempt { status: attempt.status(), url: attempt.url(), previous };
                // If the policy panics, the redirect is not followed.
                catch_panic(|| decide(asked).0).unwrap_or(Verdict::Stop)
            }
        }
    }
}

impl Default for RedirectPolicy {
    fn default() -> Self {
        Self::limited(10)
    }
}

impl fmt::Debug for RedirectPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::None => f.write_str("RedirectPolicy::none()"),
            Kind::Limited(max) => write!(f, "RedirectPolicy::limited({max})"),
            Kind::Custom(_) => f.write_str("RedirectPolicy::custom(..)"),
        }
    }
}

/// A redirect before it is followed.
#[derive(Debug)]
pub struct RedirectAttempt<'a> {
    status: StatusCode,
    url: &'a Url,
    previous: Cow<'a, [Url]>,
}

impl RedirectAttempt<'_> {
    /// Returns the status: 301, 302, 303, 307 or 308.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the absolute URL of the next hop.
    pub fn url(&self) -> &Url {
        self.url
    }

    /// Returns the URLs requested so far, including the first one and those of hops that the guard has sent.
    pub fn previous(&self) -> &[Url] {
        &self.previous
    }

    /// Follows the redirect.
    pub fn follow(self) -> RedirectAction {
        RedirectAction(Verdict::Follow)
    }

    /// Returns the 3xx response.
    pub fn stop(self) -> RedirectAction {
        RedirectAction(Verdict::Stop)
    }

    /// Fails the request with an error for which `reqwest::Error::is_redirect` is true.
    pub fn error<E: Into<Box<dyn Error + Send + Sync>>>(self, error: E) -> RedirectAction {
        RedirectAction(Verdict::Error(error.into()))
    }
}

/// The decision about a [`RedirectAttempt`], returned by its methods.
#[derive(Debug)]
pub struct RedirectAction(Verdict);

#[derive(Debug)]
enum Verdict {
    Follow,
    Stop,
    TooMany,
    Error(Box<dyn Error + Send + Sync>),
}
