//! Attributes of all spans of a client.

use std::borrow::Cow;

use super::Client;
use crate::values::IntoData;

impl Client {
    /// Sets an attribute of all spans that end from now on, as far as a span or its trace does not set it; see
    /// [`Options::attribute`](crate::Options::attribute).
    ///
    /// ```
    /// # let (client, _) = sentrace_core::testing::Capture::client(sentrace_core::Options::new()).unwrap();
    /// client.set_attribute("leader", true);
    /// ```
    pub fn set_attribute<'v, Kind>(&self, key: impl Into<Cow<'static, str>>, value: impl IntoData<'v, Kind>) {
        if let Some(value) = value.into_data() {
            self.pipeline().scope.set(key.into(), value);
        }
    }
}
