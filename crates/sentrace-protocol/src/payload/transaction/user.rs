//! On whose behalf a service worked.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

use super::cow_into_owned;

/// Longest text that is kept of a user, in bytes.
const MAX_TEXT: usize = 256;

/// On whose behalf a transaction was recorded.
///
/// Sentry SDK specification, *User Interface*. What names a person is recorded only if code sets it or asks for it.
///
/// ```
/// use sentrace_protocol::User;
///
/// let user = User::default().with_id("1041").with_username("ada");
/// assert_eq!(serde_json::to_string(&user)?, r#"{"id":"1041","username":"ada"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct User<'a> {
    /// The id in the service's own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
    /// The address for mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Cow<'a, str>>,
    /// The name by which the user is known to the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<Cow<'a, str>>,
    /// The address of the client, not that of a proxy in between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<IpAddr>,
}

impl<'a> User<'a> {
    /// Sets the id in the service's own data.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.id = Some(short(id.into()));
        self
    }

    /// Sets the address for mail.
    #[must_use]
    pub fn with_email(mut self, email: impl Into<Cow<'a, str>>) -> Self {
        self.email = Some(short(email.into()));
        self
    }

    /// Sets the name by which the user is known to the service.
    #[must_use]
    pub fn with_username(mut self, username: impl Into<Cow<'a, str>>) -> Self {
        self.username = Some(short(username.into()));
        self
    }

    /// Sets the address of the client.
    #[must_use]
    pub fn with_ip_address(mut self, address: IpAddr) -> Self {
        self.ip_address = Some(address);
        self
    }

    /// The same user, borrowing from nothing.
    pub fn into_owned(self) -> User<'static> {
        User {
            id: self.id.map(cow_into_owned),
            email: self.email.map(cow_into_owned),
            username: self.username.map(cow_into_owned),
            ip_address: self.ip_address,
        }
    }
}

/// Cut to 256 bytes.
fn short(text: Cow<'_, str>) -> Cow<'_, str> {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    match text {
        text if end == text.len() => text,
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}
