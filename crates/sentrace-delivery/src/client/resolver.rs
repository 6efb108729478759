//! Looks up host names on threads of their own.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec::IntoIter;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::{Semaphore, oneshot};
use tower_service::Service;

/// Lookups at the same time. One that hangs keeps its thread.
const MAX_LOOKUPS: usize = 2;

/// The system's resolver. Unlike tokio's `spawn_blocking`, which panics when the system gives no thread, this then fails as
/// the network does: the post is tried again.
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
            let (tell, told) = oneshot::channel();
            let look_up = move || {
                // Nobody waits for a lookup that took too long.
                let _ = tell.send((name.as_str(), 0).to_socket_addrs());
                drop(permit);
            };
            std::thread::Builder::new().name("sentrace-lookup".to_owned()).spawn(look_up).map_err(
                |error| {
                    io::Error::new(
                        error.kind(),
                        format!("there is no thread to look up the host with: {error}"),
                    )
                },
            )?;
            told.await.map_err(io::Error::other)?
        })
    }
}
