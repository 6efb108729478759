//! Default headers of requests.

use std::sync::atomic::AtomicBool;

use http::{HeaderMap, HeaderName};
use sentrace_core::diagnostics;

use crate::redirect::Settings;

/// The default headers of this crate's builder, and the trace headers among those of reqwest's. reqwest adds its own below
/// every middleware if a header is missing, so an injected `baggage` would replace one that the service needs.
pub(crate) struct DefaultHeaders {
    headers: HeaderMap,
    /// Trace headers that reqwest will add and whose value cannot be read.
    hidden: Vec<HeaderName>,
}

impl DefaultHeaders {
    pub(crate) fn new(mut headers: HeaderMap, settings: &Settings) -> Self {
        for (name, value) in &settings.trace_headers {
            if !headers.contains_key(name) {
                headers.append(name.clone(), value.clone());
            }
        }
        let hidden = settings.fixed_trace_headers.iter();
        let hidden: Vec<_> = hidden.filter(|name| !headers.contains_key(*name)).cloned().collect();
        if let Some(name) = hidden.first() {
            static WARNED: AtomicBool = AtomicBool::new(false);
            diagnostics::warn_once(
                &WARNED,
                format_args!(
                    "{name} among the default headers of the reqwest builder is not merged with the trace's: reqwest does \
                     not tell its value, which is marked as sensitive or has characters that are printed in more than one \
                     way, so it goes out alone; give it to sentrace::reqwest::ClientBuilder::default_headers instead",
                ),
            );
        }
        Self { headers, hidden }
    }

    /// Adds the headers that the request lacks, as reqwest does with its own.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        for name in self.headers.keys() {
            if !headers.contains_key(name) {
                for value in self.headers.get_all(name) {
                    headers.append(name.clone(), value.clone());
                }
            }
        }
    }

    /// Returns the trace headers that reqwest will add to this request. They must stay absent until then.
    pub(crate) fn hidden_from(&self, headers: &HeaderMap) -> Vec<HeaderName> {
        self.hidden.iter().filter(|name| !headers.contains_key(*name)).cloned().collect()
    }
}
