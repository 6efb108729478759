//! A service of gRPC without generated code: texts as messages, and a client for it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, BufMut as _};
use futures_util::{Stream, StreamExt as _, stream};
use http::uri::PathAndQuery;
use sentrace_tower::{SentryClient, SentryClientLayer, SentryTracingLayer};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};
use tower::{Layer, Service, service_fn};

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Text;

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
        let bytes = from.copy_to_bytes(from.remaining());
        Ok(Some(String::from_utf8(bytes.to_vec()).unwrap()))
    }
}

/// `Get` answers with one message or the status of the asked-for number, `Watch` with messages and then such a status,
/// `Hang` with one message and never more.
#[derive(Debug, Clone)]
pub(crate) struct Orders;

impl NamedService for Orders {
    const NAME: &'static str = "shop.Orders";
}

type Messages = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

fn status(asked: &str) -> Result<(), Status> {
    match asked.parse().unwrap() {
        0 => Ok(()),
        code => Err(Status::new(Code::from_i32(code), "as asked")),
    }
}

async fn get(request: Request<String>) -> Result<Response<String>, Status> {
    status(&request.into_inner()).map(|()| Response::new("an order".to_owned()))
}

async fn watch(request: Request<String>) -> Result<Response<Messages>, Status> {
    let end = status(&request.into_inner()).err();
    let messages = stream::iter(["one", "two"]).map(|text| Ok(text.to_owned()));
    Ok(Response::new(Box::pin(messages.chain(stream::iter(end.map(Err))))))
}

async fn hang(_: Request<String>) -> Result<Response<Messages>, Status> {
    let messages = stream::iter([Ok("one".to_owned())]).chain(stream::pending());
    Ok(Response::new(Box::pin(messages)))
}

async fn add(request: Request<Streaming<String>>) -> Result<Response<String>, Status> {
    let mut messages = request.into_inner();
    let mut count = 0;
    while messages.message().await?.is_some() {
        count += 1;
    }
    Ok(Response::new(count.to_string()))
}

impl Service<http::Request<Body>> for Orders {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Text);
            Ok(match request.uri().path() {
                "/shop.Orders/Get" => grpc.unary(service_fn(get), request).await,
                "/shop.Orders/Watch" => grpc.server_streaming(service_fn(watch), request).await,
                "/shop.Orders/Hang" => grpc.server_streaming(service_fn(hang), request).await,
                "/shop.Orders/Add" => grpc.client_streaming(service_fn(add), request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// Serves orders behind the layer, on a free port of this machine.
pub(crate) async fn serve(layer: SentryTracingLayer) -> SocketAddr {
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).unwrap().with_nodelay(Some(true));
    let address = incoming.local_addr().unwrap();
    let server = Server::builder().layer(layer).add_service(Orders);
    tokio::spawn(server.serve_with_incoming(incoming));
    address
}

/// As generated clients are: a channel behind the layer, which is told where the channel leads.
pub(crate) type Client = tonic::client::Grpc<SentryClient<Channel>>;

pub(crate) async fn connect(address: SocketAddr, layer: SentryClientLayer) -> Client {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let layer = layer.endpoint(endpoint.uri().clone());
    let mut client = tonic::client::Grpc::new(layer.layer(endpoint.connect().await.unwrap()));
    client.ready().await.unwrap();
    client
}

/// The path of a method.
pub(crate) fn path(method: &'static str) -> PathAndQuery {
    PathAndQuery::from_static(method)
}
