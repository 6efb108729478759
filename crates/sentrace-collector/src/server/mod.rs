//! The HTTP server: ingest, JSON API and pages on one port.

mod api;
mod body;
mod connection;
mod guard;
mod ingest;
mod paced;
mod pages;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::shared::Shared;

/// More connections wait until one of these ends.
const MAX_CONNECTIONS: usize = 1_024;
/// After a failed `accept` (out of descriptors, most likely) the next one waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the future is dropped; its connections end with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = router(Arc::clone(&shared));
    let mut connections = JoinSet::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // Never closed, so this cannot fail.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let served = connection::serve(stream, router.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            served.await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let guarded = api::routes().merge(pages::routes()).layer(axum::middleware::from_fn(guard::local_host));
    guarded.merge(ingest::routes(&shared)).with_state(shared)
}
