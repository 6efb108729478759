//! Services behind real sockets of this machine.

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tower::Service;

use crate::{Answer, Wire, in_time};

/// Serves a router with axum for as long as the test's runtime lives. Returns the base URL,
/// `http://127.0.0.1:1234`.
pub async fn serve(app: Router) -> String {
    format!("http://{}", serve_at(app).await)
}

/// Serves a router with axum for as long as the test's runtime lives. Returns the address.
pub async fn serve_at(app: Router) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Serves a tower service with plain hyper for as long as the test's runtime lives. Returns the
/// base URL.
pub async fn serve_hyper<S, B>(service: S) -> String
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let server = Server::start(service).await;
    let url = format!("http://{}", server.address());
    // Dropping it would end it.
    std::mem::forget(server);
    url
}

/// A tower service behind plain hyper. It accepts no more connections once it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    connections: watch::Receiver<Connections>,
    accepting: AbortHandle,
}

#[derive(Debug, Clone, Copy, Default)]
struct Connections {
    opened: usize,
    closed: usize,
}

impl Server {
    /// Starts on a free port of this machine.
    pub async fn start<S, B>(service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        S::Future: Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (listener, address) = listen().await;
        let (changed, connections) = watch::channel(Connections::default());
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                changed.send_modify(|connections| connections.opened += 1);
                let closed = Closed(changed.clone());
                let service = TowerToHyperService::new(service.clone());
                tokio::spawn(async move {
                    let _closed = closed;
                    let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
                    // How a connection ends is the client's business here.
                    let _ = connection.with_upgrades().await;
                });
            }
        });
        Self { address, connections, accepting: accepting.abort_handle() }
    }

    /// Returns its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a connection.
    pub async fn connect(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// Sends one request (its head without the empty line) on a connection of its own, and returns
    /// the answer.
    pub async fn ask(&self, head: &str) -> Answer {
        self.connect().await.ask(head).await
    }

    /// Waits until every connection that was opened is over, and with it everything that was held
    /// for it.
    pub async fn idle(&self) {
        let mut connections = self.connections.clone();
        let over = connections
            .wait_for(|connections| connections.opened > 0 && connections.opened == connections.closed);
        in_time(over).await.expect("the server still runs");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Counts also when a panic ends the connection's task.
struct Closed(watch::Sender<Connections>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.send_modify(|connections| connections.closed += 1);
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    (listener, address)
}
