//! What a client adds to all of its spans.

use std::borrow::Cow;

use sentrace_protocol::Value;

use super::Options;
use crate::record::content::ContentCollection;
use crate::record::scope::Scope;
use crate::values::IntoData;

#[derive(Debug, Clone, Default)]
pub(crate) struct ScopeOptions {
    attributes: Vec<(Cow<'static, str>, Value<'static>)>,
    pub(crate) content: ContentCollection,
}

impl ScopeOptions {
    pub(crate) fn into_scope(self) -> Scope {
        let scope = Scope::default();
        for (key, value) in self.attributes {
            scope.set(key, value);
        }
        scope
    }
}

impl Options {
    /// Sets which content spans may have: query parameters, message keys, GraphQL, generative AI,
    /// MCP. All of it by default.
    ///
    /// ```
    /// use sentrace_core::{ContentCollection, Options};
    ///
    /// let options = Options::new().content_collection(ContentCollection::new().database_query_data(false));
    /// ```
    #[must_use]
    pub fn content_collection(mut self, content: ContentCollection) -> Self {
        self.scope.content = content;
        self
    }

    /// Adds an attribute to all spans of this client, as far as a span or its trace does not set it. `None` sets nothing.
    ///
    /// [`Client::set_attribute`](crate::Client::set_attribute) changes it later. A client has at most 128 attributes, with
    /// texts of at most 1,024 bytes. In static mode they are in `data` of the transaction and of its spans (Sentry SDK
    /// specification, *Attributes* 1.6, global scope).
    ///
    /// ```
    /// use sentrace_core::Options;
    ///
    /// let options = Options::new().attribute("deployment.region", "eu-central").attribute("canary", false);
    /// ```
    #[must_use]
    pub fn attribute<'v, Kind>(
        mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl IntoData<'v, Kind>,
    ) -> Self {
        if let Some(value) = value.into_data() {
            self.scope.attributes.push((key.into(), value.into_owned()));
        }
        self
    }
}
