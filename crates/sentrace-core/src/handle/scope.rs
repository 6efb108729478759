//! What is set once for many spans: attributes of a trace, the user, feature flags.

use std::borrow::Cow;
use std::sync::Arc;

use sentrace_protocol::User;

use super::span::SpanRef;
use super::trace::Trace;
use crate::decide::recording::Recording;
use crate::record::scope::Scope;
use crate::values::IntoData;

impl Trace {
    /// Sets an attribute of all spans of this trace that end from now on, in transactions that start from it afterwards; see
    /// [`SpanRef::set_trace_attribute`].
    ///
    /// ```
    /// let trace = sentrace_core::start_new_trace();
    /// trace.set_attribute("tenant", "acme");
    /// trace.start_transaction("import", "task").finish(); // it and its spans have the attribute
    /// ```
    pub fn set_attribute<'v, Kind>(&self, key: impl Into<Cow<'static, str>>, value: impl IntoData<'v, Kind>) {
        self.span_ref().set_trace_attribute(key, value);
    }

    /// Sets the user of this trace; see [`SpanRef::set_user`].
    ///
    /// ```
    /// use sentrace_core::User;
    ///
    /// sentrace_core::start_new_trace().set_user(User::default().with_id("1041"));
    /// ```
    pub fn set_user<'u>(&self, user: impl Into<Option<User<'u>>>) {
        self.span_ref().set_user(user);
    }
}

impl SpanRef {
    /// Sets an attribute of all spans of this request that end from now on: of its transaction and the spans in it, and of
    /// transactions that start below it afterwards. `None` sets nothing.
    ///
    /// It fills in: a span keeps its own value of the key, and this one goes before the
    /// [client's](crate::Options::attribute). A trace has at most 128 attributes, with texts of at most 1,024 bytes (Sentry
    /// SDK specification, *Attributes* 1.6, isolation scope).
    ///
    /// ```
    /// // In a handler:
    /// sentrace_core::current_span().set_trace_attribute("tenant", "acme");
    /// ```
    pub fn set_trace_attribute<'v, Kind>(
        &self,
        key: impl Into<Cow<'static, str>>,
        value: impl IntoData<'v, Kind>,
    ) {
        if let Some(value) = value.into_data() {
            self.with_scope(|scope| scope.set(key.into(), value));
        }
    }

    /// Sets on whose behalf the current request is served; `None` removes it. Nothing of it is ever collected by itself.
    ///
    /// A transaction has it as its user, a streamed span as `user.id`, `user.email`, `user.name` and `user.ip_address`. It
    /// applies to spans that end from now on, as [`set_trace_attribute`](Self::set_trace_attribute) does.
    ///
    /// ```
    /// use sentrace_core::User;
    ///
    /// sentrace_core::current_span().set_user(User::default().with_id("1041"));
    /// ```
    pub fn set_user<'u>(&self, user: impl Into<Option<User<'u>>>) {
        let user = user.into().map(User::into_owned);
        self.with_scope(|scope| scope.set_user(user));
    }

    /// Notes how a feature flag was evaluated in this span: `flag.evaluation.<name>`. A span keeps its first ten flags. The
    /// last value of each stays.
    ///
    /// ```
    /// # fn is_enabled(_: &str) -> bool { true }
    /// let enabled = is_enabled("new-checkout");
    /// sentrace_core::current_span().add_feature_flag("new-checkout", enabled);
    /// ```
    pub fn add_feature_flag(&self, name: impl AsRef<str>, result: bool) {
        let name = name.as_ref();
        self.with_record(|record, slot| record.add_flag(slot, name, result));
    }

    fn with_scope(&self, edit: impl FnOnce(&Scope)) {
        let Some(trace) = self.trace() else { return };
        if matches!(trace.recording, Recording::Unsampled(_)) {
            return;
        }
        let scope = Arc::clone(trace.live().scope.get_or_insert_default());
        edit(&scope);
    }
}
