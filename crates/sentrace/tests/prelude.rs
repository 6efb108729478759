//! `use sentrace::prelude::*;` beside what services import from elsewhere: it compiles, and each method is the one that is meant.
#![cfg(all(feature = "axum", feature = "reqwest"))]

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
    use std::io::prelude::*;

    use axum::extract::*;
    use axum::routing::*;
    use futures_util::future::*;
    use futures_util::stream::*;
    use sentrace::Span;
    use sentrace::prelude::*;
    use tower::*;

    fn is_named<T>() -> bool {
        !std::any::type_name::<T>().is_empty()
    }
    fn is_traced<T: TracedCommand>() -> bool {
        is_named::<T>()
    }
    assert!(is_named::<Client>() && is_named::<Options>() && is_named::<Origin>());
    assert!(is_named::<Span>() && is_named::<SpanRef>() && is_named::<Transaction>());
    assert!(is_named::<SpanStatus>() && is_named::<TransactionSource>());
    assert!(is_named::<SentryClientLayer>() && is_named::<SentryCorsLayer>());
    assert!(is_named::<SentryTracingLayer>() && is_named::<SentryTracingMiddleware>());
    assert!(is_traced::<std::process::Command>());
    assert!(is_named::<Router>() && is_named::<Path<u8>>() && is_named::<ServiceBuilder<()>>());
    assert!(is_named::<Ready<()>>() && is_named::<Iter<std::vec::IntoIter<u8>>>());
    assert_eq!(sentry_headers().len(), 2);
    let (mut bytes, mut read): (&[u8], _) = (&[7], [0]);
    assert!(bytes.read(&mut read).is_ok_and(|count| count == 1));
}

/// `Span`, `Level` and the macros are those of `tracing`, and so is `in_current_span`.
#[tokio::test]
async fn tracing_can_be_used_whole_beside_it() {
    use sentrace::prelude::*;
    use tower::{ServiceBuilder, ServiceExt};
    use tracing::Instrument;
    use tracing::*;

    let span: Span = info_span!("work");
    let work = async { Level::INFO }.instrument(span).in_current_span();
    assert_eq!(work.await, Level::INFO);
    let service = ServiceBuilder::new().layer(SentryTracingLayer::new()).service(axum::Router::<()>::new());
    let request = http::Request::builder().uri("/").body(axum::body::Body::empty()).unwrap_or_default();
    let answer = service.oneshot(request).instrument(Span::none()).await;
    assert_eq!(answer.map(|answer| answer.status().as_u16()), Ok(404));
    assert!(sentrace::current_span().is_none());
}

/// Layers that answer by themselves need a body from nowhere.
#[test]
fn response_bodies_have_a_default_if_their_inner_body_has_one() {
    fn has_default<B: Default>() -> bool {
        let _ = B::default();
        true
    }
    type Inner = axum::body::Body;
    assert!(has_default::<sentrace::tower::ResponseBody<Inner>>());
    assert!(has_default::<sentrace::tower::ClientBody<Inner>>());
    assert!(has_default::<sentrace::tower::CountedBody<Inner>>());
    #[cfg(feature = "sentry")]
    assert!(has_default::<sentrace::sentry::HubBody<Inner>>());
    #[cfg(feature = "tracing")]
    assert!(has_default::<sentrace::tracing::RequestSpanBody<Inner>>());
    assert!(has_default::<sentrace::Scoped<Inner>>());
}
