//! `use sentrace::prelude::*;` beside what services import from elsewhere: it compiles, and each method is the one that is meant.
#![cfg(all(feature = "axum", feature = "reqwest"))]

use sentrace::SpanStatus;

/// Traits whose methods futures, streams, services and subscribers have everywhere.
#[tokio::test]
async fn methods_of_other_crates_traits_stay_unambiguous() {
    use futures_util::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _, stream};
    use sentrace::prelude::*;
    use tower::{Layer as _, ServiceExt as _};
    use tracing::Instrument as _;
    use tracing_subscriber::prelude::*;

    let work = async { 7 };
    assert_eq!(work.in_current_span().await, 7);
    assert_eq!(async { 7 }.instrument(tracing::Span::none()).map(|n| n + 1).await, 8);
    let checked: Result<i32, String> = async { Ok(7) }.in_current_span().map_err(|()| String::new()).await;
    assert_eq!(checked, Ok(7));
    let numbers: Result<Vec<_>, ()> = stream::iter([Ok(1), Ok(2)]).map(|n| n).try_collect().await;
    assert_eq!(numbers, Ok(vec![1, 2]));
    let service = SentryTracingLayer::new().layer(axum::Router::<()>::new());
    let request = http::Request::builder().uri("/").body(axum::body::Body::empty());
    let answer = service.oneshot(request.unwrap_or_default()).await.map(|answer| answer.status().as_u16());
    assert_eq!(answer, Ok(404));
    drop(tracing_subscriber::registry().with(tracing::level_filters::LevelFilter::OFF));
}

/// Ours, imported by name, without the other.
#[tokio::test]
async fn the_trait_is_there_by_name() {
    use sentrace::InCurrentSpan as _;
    use sentrace::prelude::*;

    assert_eq!(async { SpanStatus::Ok }.in_current_span().await, SpanStatus::Ok);
}

/// A name that two globs bring cannot be used. So the prelude has none that another one has.
#[test]
fn names_of_other_preludes_and_common_globs_can_be_used() {
    use axum::extract::*;
    use axum::routing::*;
    use futures_util::future::*;
    use futures_util::stream::*;
    use sentrace::prelude::*;
    use std::io::prelude::*;
    use tower::*;
    use tracing_subscriber::prelude::*;

    fn named(
        _: Option<(Client, Options, Origin, Span, SpanRef, Transaction, SpanStatus, TransactionSource)>,
    ) {
    }
    fn layers(_: Option<(SentryClientLayer, SentryCorsLayer, SentryTracingLayer, SentryTracingMiddleware)>) {}
    fn traits<T: TracedCommand>(_: Option<T>) {}
    fn others(
        _: Option<(Router, Ready<()>, Iter<std::vec::IntoIter<u8>>, ServiceBuilder<()>)>,
        _: Option<Path<u8>>,
    ) {
    }
    named(None);
    layers(None);
    traits(None::<std::process::Command>);
    others(None, None);
    assert_eq!(sentry_headers().len(), 2);
    let mut bytes: &[u8] = &[7];
    let mut read = [0];
    assert!(bytes.read(&mut read).is_ok_and(|count| count == 1));
}
