//! Failed requests as error events.

use std::fmt;
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use sentrace_core::adapter::{HandlerError, HttpHead, catch_panic};
use sentry_core::protocol::{Event, Exception, Mechanism, Request as RequestInfo};
use sentry_core::{Hub, Level, event_from_error, parse_type_from_debug};

use super::config::Config;
use super::head::{self, Name};

/// Marks a request whose failure another layer captures.
#[derive(Debug, Clone, Copy)]
struct CapturedTransaction;

/// The data of events for a failed request.
#[derive(Debug)]
pub(super) struct FailureReport {
    config: Arc<Config>,
    /// The method as the client sent it.
    method: String,
    method_in_names: &'static str,
    url: Option<String>,
    name: String,
    is_route: bool,
}

impl FailureReport {
    /// Returns `None` if failures are not captured, or if a layer outside this one captures them.
    pub(super) fn prepare<B>(
        config: &Arc<Config>,
        name: &Name,
        request: &mut Request<B>,
    ) -> Option<Box<Self>> {
        if !config.captures || request.extensions_mut().insert(CapturedTransaction).is_some() {
            return None;
        }
        let head = HttpHead::of(request);
        Some(Box::new(Self {
            config: Arc::clone(config),
            method: head.method().to_string(),
            method_in_names: head::method_in_names(&head),
            url: head::url(&head),
            name: name.text.clone(),
            is_route: name.is_route,
        }))
    }

    /// Captures a response whose status is a failure.
    pub(super) fn capture_response<B>(&self, hub: &Hub, response: &Response<B>) {
        let status = response.status();
        if !self.config.statuses.iter().any(|range| range.contains(&status.as_u16())) {
            return;
        }
        let event = match response.extensions().get::<HandlerError>() {
            // Formatting it runs user code.
            Some(error) => catch_panic(|| event_from_error(error.error())),
            None => Some(self.event_of_status(status)),
        };
        self.capture(hub, event, true);
    }

    /// Captures the error of a service.
    pub(super) fn capture_error<E: fmt::Debug + fmt::Display>(&self, hub: &Hub, error: &E) {
        let event = catch_panic(|| {
            let (debug, text) = (format!("{error:?}"), error.to_string());
            let ty = if debug == format!("{text:?}") { "Error" } else { parse_type_from_debug(&debug) };
            exception(ty.to_owned(), text)
        });
        self.capture(hub, event, false);
    }

    /// Groups responses by route and status into one issue. Without a route, each path would be an issue of its own, so the
    /// method is used.
    fn event_of_status(&self, status: StatusCode) -> Event<'static> {
        let mut event = exception(
            "HttpServerError".to_owned(),
            format!("HTTP Server Error with status code: {}", status.as_u16()),
        );
        let name = if self.is_route { &*self.name } else { self.method_in_names };
        event.fingerprint =
            vec!["http-server-error".into(), name.to_owned().into(), status.as_u16().to_string().into()]
                .into();
        event
    }

    fn capture(&self, hub: &Hub, event: Option<Event<'static>>, handled: bool) {
        let Some(mut event) = event.filter(|_| hub.last_event_id().is_none()) else { return };
        if let Some(exception) = event.exception.values.last_mut() {
            exception.mechanism = Some(Mechanism {
                ty: "sentrace.tower".to_owned(),
                handled: Some(handled),
                ..Mechanism::default()
            });
        }
        event.request = Some(RequestInfo {
            method: Some(self.method.clone()),
            url: self.url.as_deref().and_then(|url| url.parse().ok()),
            ..RequestInfo::default()
        });
        // This runs the user's hooks and processors.
        catch_panic(|| hub.capture_event(event));
    }
}

fn exception(ty: String, value: String) -> Event<'static> {
    let exception = Exception { ty, value: Some(value), ..Exception::default() };
    Event { exception: vec![exception].into(), level: Level::Error, ..Event::default() }
}
