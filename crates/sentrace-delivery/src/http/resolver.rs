//! Host names are looked up on separate threads.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec::IntoIter;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::{Semaphore, oneshot};
use tower_service::Service;

/// Concurrent lookups. One that hangs keeps its thread.
const MAX_LOOKUPS: usize = 2;

/// The system's resolver. If no thread can be started, tokio's `spawn_blocking` panics, but this fails as the network does:
/// the post is retried.
#[derive(Debug, Clone)]
pub(super) struct Resolver(Arc<Semaphore>);

impl Default for Resolver {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_LOOKUPS)))
    }
}

impl Service<Name> for Resolver {
    type Response = IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<IntoIter<SocketAddr>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let lookups = Arc::clone(&self.0);
        Box::pin(async move {
            let permit = lookups.acquire_owned().await.map_err(io::Error::other)?;
            let (sender, receiver) = oneshot::channel();
            let look_up = move || {
                // The post may have timed out meanwhile.
                let _ = sender.send((name.as_str(), 0).to_socket_addrs());
                drop(permit);
            };
            std::thread::Builder::new().name("sentrace-lookup".to_owned()).spawn(look_up).map_err(
                |error| {
                    io::Error::new(
                        error.kind(),
                        format!("no thread can be started to look up the host: {error}"),
                    )
                },
            )?;
            receiver.await.map_err(io::Error::other)?
        })
    }
}
