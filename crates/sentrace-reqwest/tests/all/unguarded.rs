//! The middleware on a client that somebody else built.

use std::sync::{Arc, Mutex};

use http::Method;
use reqwest::{Client, Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use sentrace_core::diagnostics::{Level, set_handler};
use sentrace_reqwest::SentryTracingMiddleware;

use crate::support::run;
use crate::support::server::{Reply, World};
use crate::support::traced::Setup;

/// Answers by itself, as a cache does.
struct Cache;

#[async_trait::async_trait]
impl Middleware for Cache {
    async fn handle(&self, _: Request, _: &mut http::Extensions, _: Next<'_>) -> Result<Response> {
        Ok(http::Response::new("cached").into())
    }
}

#[test]
fn a_redirect_that_carried_headers_away_is_told_once() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let log = said.clone();
    set_handler(move |level, message| {
        // Other tests of this process say other things.
        if level == Level::Warning && message.starts_with("a redirect carried") {
            log.lock().unwrap().push(message.to_owned());
        }
    });
    run(async {
        let world = World::new();
        let away = world.foreign.at("/end").replace("127.0.0.1", "localhost");
        world.home.redirects("/away", 307, &away);
        world.home.redirects("/near", 307, world.sister.at("/end"));
        world.foreign.on("/end", Reply::Status(200));
        let (_, sentrace, _) = Setup::new(world.allowed()).build_with(Client::builder());
        let http = reqwest_middleware::ClientBuilder::new(Client::new())
            .with(SentryTracingMiddleware::new().client(sentrace))
            .build();
        let cached = reqwest_middleware::ClientBuilder::from_client(http.clone()).with(Cache).build();
        cached.get(world.home.at("/")).send().await.unwrap();
        for path in ["/near", "/away", "/away"] {
            let request = Request::new(Method::GET, world.home.at(path).parse().unwrap());
            http.execute(request).await.unwrap();
        }
        assert!(
            world.take_log().iter().all(|seen| seen.header("sentry-trace").is_some()),
            "nothing guards it"
        );
    });
    let said = said.lock().unwrap();
    let [message] = &said[..] else { panic!("{said:?}") };
    assert!(message.contains("localhost") && message.contains("sentrace::reqwest::client"), "{message}");
}
