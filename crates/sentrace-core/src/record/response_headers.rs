//! The header fields of a response, and cookies of both directions.

use std::borrow::Cow;

use sentrace_protocol::sensitive::{self, filter_cookies, filter_set_cookie, is_sensitive_cookie};
use sentrace_protocol::{Data, Value};

use super::Record;
use super::headers::Headers;
use crate::record::data_collection::{Collect, DataCollection, HeaderRules};

impl Record {
    /// Records those fields of a response that `collection` shows. `for_each` passes each field, by its name in lower case.
    #[cold]
    pub(crate) fn set_response_headers(
        &mut self,
        collection: &DataCollection,
        personal: bool,
        for_each: impl FnOnce(&mut dyn FnMut(&str, &[u8])),
    ) {
        let headers = &mut self.rare.get_or_insert_default().response_headers;
        headers.clear();
        let rules = collection.response_rules(personal);
        for_each(&mut |name, value| match collection.cookie_rules().filter(|_| name == "set-cookie") {
            Some(cookies) if *cookies == Collect::Off => {}
            Some(cookies) => {
                let hides = |name: &str| cookies.hides_cookie(name, personal);
                headers.push_shown(name, &filter_set_cookie(&String::from_utf8_lossy(value), hides));
            }
            None => {
                if let Some(rules) = rules {
                    headers.push(name, value, rules);
                }
            }
        });
    }

    /// Adds the header fields of the response that are recorded.
    pub(super) fn describe_response_headers<'a>(&'a self, attributes: &mut Data<'a>) {
        if let Some(rare) = self.rare.as_deref() {
            add_headers("http.response.header.", rare.response_headers.iter(), attributes);
        }
    }
}

/// Adds header fields as arrays with an element for each value (Sentry SDK specification, *Spans* 1.0).
pub(super) fn add_headers<'a>(
    prefix: &str,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    attributes: &mut Data<'a>,
) {
    let mut values: Vec<(&str, Vec<Cow<'a, str>>)> = Vec::new();
    for (name, value) in headers {
        match values.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(sensitive::filter_text(value)),
            None => values.push((name, vec![sensitive::filter_text(value)])),
        }
    }
    for (name, values) in values {
        attributes.set([prefix, name].concat(), Value::Strs(values));
    }
}

impl Headers {
    /// Records the cookies of a request, each as a value of its own.
    #[cold]
    pub(super) fn push_cookies(&mut self, value: &[u8], rules: HeaderRules<'_>) {
        let Some(collect) = rules.cookies.filter(|collect| **collect != Collect::Off) else { return };
        let hides = |name: &str| collect.hides_cookie(name, rules.personal);
        for cookie in filter_cookies(&String::from_utf8_lossy(value), hides) {
            self.push_shown("cookie", &cookie);
        }
    }
}

impl Collect {
    /// Returns `true` if the value of the cookie `name` must not be recorded.
    pub(super) fn hides_cookie(&self, name: &str, personal: bool) -> bool {
        is_sensitive_cookie(name) || (!personal && sensitive::is_personal(name)) || self.hides_harmless(name)
    }
}
