//! gRPC with tonic, on both sides.
//!
//! `cargo run --example grpc` calls an order service three times: for an order, for one that does
//! not exist, and for a stream that fails after two messages. It prints the traces: names are those
//! of the methods, statuses those of `grpc-status`, from the head or from the trailers.
//!
//! Messages are plain text and the service is written manually, so no protocol compiler is needed.
//! With generated code, the two layers are added in the same places.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::uri::PathAndQuery;
use bytes::{Buf as _, BufMut as _};
use futures_util::stream::{self, Stream};
use sentrace::prelude::*;
use sentrace_collector::{Collector, waterfall};
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};
use tower::{ServiceBuilder, service_fn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let _sentrace = sentrace::init(
        Options::new().dsn(collector.dsn("1")).release("orders@1.0.0").traces_sample_rate(1.0),
    )?;

    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
    let endpoint = Endpoint::from_shared(format!("http://{}", incoming.local_addr()?))?;
    // The server: a layer over all its services.
    let server = Server::builder().layer(SentryTracingLayer::new()).add_service(Orders);
    tokio::spawn(server.serve_with_incoming(incoming));

    // The client: a layer over the channel, configured with the channel's address.
    // `OrdersClient::new(channel)`.
    let layer = SentryClientLayer::new().endpoint(endpoint.uri().clone());
    let mut orders = Grpc::new(ServiceBuilder::new().layer(layer).service(endpoint.connect().await?));

    let transaction = sentrace::start_transaction("look at orders", "task");
    let calls = async {
        for id in ["7", "99"] {
            orders.ready().await?;
            let call = orders.unary(
                Request::new(id.to_owned()),
                PathAndQuery::from_static("/shop.Orders/Get"),
                Text,
            );
            match call.await {
                Ok(order) => println!("order {id}: {}", order.into_inner()),
                Err(status) => println!("order {id}: {:?}, {}", status.code(), status.message()),
            }
        }
        orders.ready().await?;
        let watch = PathAndQuery::from_static("/shop.Orders/Watch");
        let mut changes =
            orders.server_streaming(Request::new("7".to_owned()), watch, Text).await?.into_inner();
        // The call's span ends with the stream.
        while let Some(change) = changes.message().await.unwrap_or_else(|status| {
            println!("watching ends: {:?}, {}\n", status.code(), status.message());
            None
        }) {
            println!("order 7: {change}");
        }
        Ok::<_, Box<dyn Error>>(())
    };
    transaction.scope(calls).await?;
    transaction.finish();

    let complete =
        |store: &sentrace_collector::Store| store.traces().iter().any(|trace| trace.transactions == 4);
    collector.wait_for(complete, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn get(request: Request<String>) -> Result<Response<String>, Status> {
    let load = tokio::time::sleep(Duration::from_millis(5));
    sentrace::in_span("db.query", "SELECT state FROM orders WHERE id = ?", load).await;
    match request.into_inner().as_str() {
        "7" => Ok(Response::new("two books".to_owned())),
        id => Err(Status::not_found(format!("no order {id}"))),
    }
}

type Changes = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

async fn watch(_: Request<String>) -> Result<Response<Changes>, Status> {
    let steps = [Ok("packed"), Ok("sent"), Err(Status::unavailable("the carrier does not answer"))];
    Ok(Response::new(Box::pin(stream::unfold(steps.into_iter(), |mut steps| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some((steps.next()?.map(str::to_owned), steps))
    }))))
}

/// What a compiler for `.proto` files generates for a service.
#[derive(Clone)]
struct Orders;

impl NamedService for Orders {
    const NAME: &'static str = "shop.Orders";
}

impl tower::Service<axum::http::Request<Body>> for Orders {
    type Response = axum::http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: axum::http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Text);
            Ok(match request.uri().path() {
                "/shop.Orders/Get" => grpc.unary(service_fn(get), request).await,
                "/shop.Orders/Watch" => grpc.server_streaming(service_fn(watch), request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// Messages of plain text.
#[derive(Clone, Copy, Default)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, item: String, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(item.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = from.copy_to_bytes(from.remaining()).to_vec();
        String::from_utf8(bytes).map(Some).map_err(|error| Status::invalid_argument(error.to_string()))
    }
}
