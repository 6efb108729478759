//! Starts all services, each with its own port and client.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use sentrace::Client;
use sentrace_collector::Collector;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::backend::{self, Backend};
use crate::database::Database;
use crate::ingest::Ingest;
use crate::payments::{self, Payments};
use crate::queue::Queue;
use crate::storefront::{self, Links};
use crate::{Error, inventory, outgoing, worker};

/// The running services, which end when this value is dropped.
pub(crate) struct Shop {
    /// The origin of the page, `http://host:port`.
    pub(crate) storefront: String,
    /// The origin of the API, `http://host:port`.
    pub(crate) backend: String,
    pub(crate) payments: Payments,
    clients: Vec<Client>,
    services: JoinSet<()>,
    _database_folder: TempDir,
}

impl Shop {
    pub(crate) async fn open(ingest: &Ingest, collector: &Collector) -> Result<Self, Error> {
        let client = |service| ingest.client(service);
        let clients = [client("storefront")?, client("backend")?, client("inventory")?, client("worker")?];
        let [for_storefront, for_backend, for_inventory, for_worker] = clients.clone();

        // All listen before any of them starts, since they need each other's addresses.
        let (storefront_listener, storefront) = listen().await?;
        let (backend_listener, backend) = listen().await?;
        let (inventory_listener, inventory) = listen().await?;
        let (payments_listener, payments_addr) = listen().await?;
        let (storefront, backend) = (origin(storefront), origin(backend));

        let (database, database_folder) = Database::create().await?;
        let (queue, messages) = Queue::new();
        let payments = Payments::default();
        // Redirects of this client cannot carry the trace headers to a foreign host.
        let http =
            sentrace::reqwest::client(outgoing::builder().resolve(payments::HOST, payments_addr))?.build();
        let api = Backend {
            database,
            queue,
            http,
            inventory: origin(inventory),
            payments: format!("http://{}:{}", payments::HOST, payments_addr.port()),
        };
        let api = backend::router(api, HeaderValue::try_from(&storefront)?, for_backend);
        let links = Links { backend: backend.clone(), collector: collector.url() };

        let mut services = JoinSet::new();
        services.spawn(serve(storefront_listener, storefront::router(links, for_storefront)));
        services.spawn(serve(backend_listener, api));
        services.spawn(serve(payments_listener, payments.router()));
        services.spawn(inventory::serve(inventory_listener, for_inventory));
        services.spawn(worker::work(messages, for_worker, ingest.dsn("notifications")));
        let clients = clients.to_vec();
        Ok(Self { storefront, backend, payments, clients, services, _database_folder: database_folder })
    }

    /// Stops the services and waits until everything they recorded has been sent.
    pub(crate) async fn close(mut self) {
        self.services.shutdown().await;
        let clients = std::mem::take(&mut self.clients);
        let close = move || clients.iter().for_each(|client| _ = client.close(Duration::from_secs(2)));
        // Closing blocks. It only fails if it panics, which has already been printed.
        let _ = tokio::task::spawn_blocking(close).await;
    }
}

async fn listen() -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

fn origin(addr: SocketAddr) -> String {
    format!("http://{addr}")
}

async fn serve(listener: TcpListener, router: Router) {
    // axum's `serve` runs until it is dropped.
    let _ = axum::serve(listener, router).await;
}
