//! Pages for which the browser continues the trace of the request.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use maud::{DOCTYPE, PreEscaped, html};
use sentrace::prelude::*;

use crate::Error;

/// `/tagged` has the trace in its `<meta>` tags, and `/timed` in its `Server-Timing` header. Pages
/// below `/static` have none, like static files, so the browser starts a trace.
pub(crate) async fn router(script: Option<String>) -> Result<Router, Error> {
    let script = match script {
        Some(path) => tokio::fs::read_to_string(path).await?,
        None => String::new(),
    };
    let tagged = Router::new().route("/tagged", get(tagged)).layer(SentryTracingLayer::new());
    let timed =
        Router::new().route("/timed", get(untagged)).layer(SentryTracingLayer::new().server_timing(true));
    let files = Router::new()
        .route("/static/{page}", get(untagged))
        .route("/page.js", get(async || ([(CONTENT_TYPE, "text/javascript")], script)));
    Ok(tagged.merge(timed).merge(files))
}

async fn tagged() -> Html<String> {
    page(&sentrace::trace_meta_tags())
}

async fn untagged() -> Html<String> {
    page("")
}

fn page(trace: &str) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "A page" }
                (PreEscaped(trace))
                link rel="icon" href="data:,";
                script src="/page.js" defer {}
            }
            body { p #outcome { "One moment…" } }
        }
    };
    Html(page.into_string())
}
