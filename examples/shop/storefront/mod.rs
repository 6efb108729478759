//! The page that customers see, which contains its trace.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sentrace::Client;
use sentrace::prelude::*;

/// The URL of the backend, `http://host:port`.
pub(crate) struct Links {
    pub(crate) backend: String,
    pub(crate) collector: String,
}

pub(crate) fn router(links: Links, client: Client) -> Router {
    // One page for all routes, as in single-page applications; every route names its own
    // transactions.
    let pages = ["/", "/cart", "/gift-cards", "/orders", "/payment", "/products/{id}"];
    pages
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, get(page)))
        .with_state(Arc::new(links))
        // Only around the routes so far: transactions of files and of missing pages are not useful.
        .route_layer(SentryTracingLayer::new().client(client))
        .route("/shop.js", get(([(CONTENT_TYPE, "text/javascript")], include_str!("shop.js"))))
        .route("/shop.css", get(([(CONTENT_TYPE, "text/css")], include_str!("shop.css"))))
}

async fn page(State(links): State<Arc<Links>>) -> Response {
    // The trace of this request, which the calls of the page continue.
    let trace = PreEscaped(sentrace::trace_meta_tags());
    let page = sentrace::start_span("template.render", "page").enter(|| render(&links, trace));
    let policy = format!("default-src 'self'; connect-src {}", links.backend);
    ([(CONTENT_SECURITY_POLICY, policy)], Html(page.into_string())).into_response()
}

fn render(links: &Links, trace: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Coffee, and what goes with it" }
                (trace)
                meta name="shop-backend" content=(links.backend);
                meta name="shop-collector" content=(links.collector);
                link rel="stylesheet" href="/shop.css";
                script src="/shop.js" defer {}
            }
            body {
                h1 { "Coffee, and what goes with it" }
                ul #products { li { "One moment…" } }
                section {
                    h2 { "Your cart" }
                    p { "2 × Coffee beans, 1 × Mug" }
                    button data-method="POST" data-path="/checkout/7" { "Buy" }
                    button data-method="GET" data-path="/products/1/delivery" { "When does it come?" }
                }
                section {
                    h2 { "Things that go wrong" }
                    button data-method="POST" data-path="/checkout/13" { "Buy a gift card without a price" }
                    button data-method="GET" data-path="/products/99" { "Look for what is not there" }
                }
                output {}
                p { a #trace hidden { "The trace of this visit" } }
            }
        }
    }
}
