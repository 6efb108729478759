//! A tower service behind real hyper, one connection after another as clients open them.

use std::error::Error;
use std::net::SocketAddr;

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

use super::{Answer, Wire, in_time};

pub(crate) struct Server {
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
    pub(crate) async fn start<S, B>(service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        S::Future: Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
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

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn connect(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// One request (its head without the empty line) on a connection of its own, the answer read to its end.
    pub(crate) async fn ask(&self, head: &str) -> Answer {
        let mut wire = self.connect().await;
        wire.send(&format!("{head}Connection: close\r\n\r\n")).await;
        wire.rest().await
    }

    /// Waits until every connection that was opened is over, and with it all that was held for it.
    pub(crate) async fn idle(&self) {
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
