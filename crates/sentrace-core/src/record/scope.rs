//! Attributes and a user that spans get from their client or their trace.
//!
//! A scope may change while spans are open. Each value has the time from which on it holds, so that a span gets the values
//! of its end, however late its payload is built.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sentrace_protocol::{Data, User, Value, sensitive};

use super::Record;
use crate::diagnostics::warn_once;
use crate::util::clock::FastInstant;
use crate::util::text::cut;

/// Keys of one scope.
const MAX_KEYS: usize = 128;
/// Longest key in bytes.
const MAX_KEY: usize = 200;
/// Longest text of a value, in bytes.
const MAX_TEXT: usize = 1024;
/// Texts of one value.
const MAX_ELEMENTS: usize = 64;

/// What a client or a trace adds to its spans.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// Without it, a span that ends would have to take the lock.
    is_set: AtomicBool,
    entries: Mutex<Arc<ScopeEntries>>,
}

/// What a scope holds at one time.
#[derive(Debug, Default, Clone)]
pub(crate) struct ScopeEntries {
    attributes: Vec<Attribute>,
    /// The current user and the one before.
    users: Vec<(FastInstant, Option<User<'static>>)>,
}

#[derive(Debug, Clone)]
struct Attribute {
    key: Cow<'static, str>,
    value: Value<'static>,
    since: FastInstant,
}

impl Scope {
    /// Sets an attribute from now on.
    pub(crate) fn set(&self, key: Cow<'static, str>, value: Value<'_>) {
        static WARNED: AtomicBool = AtomicBool::new(false);
        let key = if key.len() <= MAX_KEY { key } else { Cow::Owned(cut(&key, MAX_KEY).to_owned()) };
        let value = bounded(value);
        let fits = self.edit(|entries| entries.set(key, value));
        if !fits {
            warn_once(
                &WARNED,
                format_args!(
                    "a scope has at most {MAX_KEYS} attributes, further ones are ignored; set fewer keys"
                ),
            );
        }
    }

    /// Sets the user from now on; `None` removes it.
    pub(crate) fn set_user(&self, user: Option<User<'static>>) {
        self.edit(|entries| {
            let kept = entries.users.len().saturating_sub(1);
            entries.users.drain(..kept);
            entries.users.push((FastInstant::now(), user));
        });
    }

    /// Returns what is set, if anything ever was.
    #[inline]
    pub(crate) fn snapshot(&self) -> Option<Arc<ScopeEntries>> {
        self.is_set.load(Ordering::Relaxed).then(|| self.copy())
    }

    #[cold]
    fn copy(&self) -> Arc<ScopeEntries> {
        Arc::clone(&self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn edit<R>(&self, edit: impl FnOnce(&mut ScopeEntries) -> R) -> R {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_set.store(true, Ordering::Relaxed);
        edit(Arc::make_mut(&mut entries))
    }
}

impl ScopeEntries {
    /// Returns `false` if there is no room for another key.
    fn set(&mut self, key: Cow<'static, str>, value: Value<'static>) -> bool {
        let mut of_key = (0..self.attributes.len()).filter(|at| self.attributes[*at].key == key);
        let (first, second) = (of_key.next(), of_key.next());
        if let (Some(oldest), Some(_)) = (first, second) {
            // Spans that ended before the last change are hardly waiting any more.
            self.attributes.remove(oldest);
        }
        if first.is_none() && self.attributes.len() >= MAX_KEYS {
            return false;
        }
        self.attributes.push(Attribute { key, value, since: FastInstant::now() });
        true
    }

    /// Adds what holds at `end` to the attributes that a span has itself.
    pub(super) fn fill<'a>(&'a self, data: &mut Data<'a>, end: FastInstant) {
        // From the last one on, so that it wins over earlier ones of its key.
        for Attribute { key, value, since } in self.attributes.iter().rev() {
            if *since <= end && data.get(key).is_none() {
                data.set(&**key, shown_value(key, value));
            }
        }
    }

    /// The user at `end`.
    pub(super) fn user(&self, end: FastInstant) -> Option<&User<'static>> {
        let (_, user) = self.users.iter().rev().find(|(since, _)| *since <= end)?;
        user.as_ref()
    }
}

impl Record {
    /// Adds what a scope holds. Scopes that are nearer to the spans come first.
    #[cold]
    pub(crate) fn add_scope(&mut self, scope: Arc<ScopeEntries>) {
        self.rare.get_or_insert_default().scopes.push(scope);
    }

    /// Returns what scopes add, the nearest first.
    pub(super) fn scopes(&self) -> &[Arc<ScopeEntries>] {
        self.rare.as_deref().map_or(&[], |rare| &rare.scopes)
    }

    /// Returns the user at `end`, with the client's address if that is recorded.
    pub(super) fn user_at(&self, end: FastInstant) -> Option<User<'_>> {
        let set = self.scopes().iter().find_map(|scope| scope.user(end));
        let address = self.request.client_address;
        if set.is_none() && address.is_none() {
            return None;
        }
        let mut user = set.cloned().unwrap_or_default();
        user.ip_address = user.ip_address.or(address);
        Some(user)
    }
}

pub(super) fn shown_value<'a>(key: &str, value: &'a Value<'static>) -> Value<'a> {
    match value {
        Value::Str(text) => Value::Str(sensitive::filter_value(key, text)),
        Value::Strs(texts) => {
            Value::Strs(texts.iter().map(|text| sensitive::filter_value(key, text)).collect())
        }
        other => other.clone(),
    }
}

fn bounded(value: Value<'_>) -> Value<'static> {
    let short = |text: Cow<'_, str>| -> Cow<'static, str> { Cow::Owned(cut(&text, MAX_TEXT).to_owned()) };
    match value {
        Value::Str(text) => Value::Str(short(text)),
        Value::Strs(texts) => Value::Strs(texts.into_iter().take(MAX_ELEMENTS).map(short).collect()),
        other => other.into_owned(),
    }
}
