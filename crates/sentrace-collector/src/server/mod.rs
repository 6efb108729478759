//! The HTTP server: ingest, JSON API and pages on one port.

mod activity;
mod api;
mod body;
mod connection;
mod guard;
mod ingest;
mod paced;
mod pages;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use self::activity::Activity;
use crate::shared::Shared;

/// The maximum number of connections. To accept another, the one that has kept the collector
/// waiting the longest is closed.
const MAX_CONNECTIONS: usize = 512;
/// A connection may be closed after this time without progress. If there is none, one may end on
/// its own within [`GRACE`].
const QUIET: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_millis(100);
/// The pause after a failed `accept`, most likely for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the future is dropped, which also closes its connections.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = router(Arc::clone(&shared));
    let since = Instant::now();
    let mut connections = Connections::default();
    loop {
        connections.make_room().await;
        let Ok((stream, _)) = listener.accept().await else {
            connections.give_up(GRACE);
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let activity = Arc::new(Activity::new(since));
        let served = connection::serve(stream, router.clone(), Arc::clone(&shared), Arc::clone(&activity));
        let task = connections.tasks.spawn(served);
        connections.open.push((activity, task));
    }
}

/// The connections that are open.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    open: Vec<(Arc<Activity>, AbortHandle)>,
}

impl Connections {
    /// Waits until another connection can be accepted. Takes long only if all clients are waiting
    /// for the collector.
    async fn make_room(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        while self.tasks.len() >= MAX_CONNECTIONS {
            if !self.give_up(QUIET) {
                if timeout(GRACE, self.tasks.join_next()).await.is_ok() {
                    continue;
                }
                self.give_up(Duration::ZERO);
            }
            self.tasks.join_next().await;
        }
        if self.open.len() >= 2 * MAX_CONNECTIONS {
            self.open.retain(|(_, task)| !task.is_finished());
        }
    }

    /// Closes the connection whose client has kept the collector waiting the longest, if that is at
    /// least this long.
    fn give_up(&mut self, at_least: Duration) -> bool {
        self.open.retain(|(_, task)| !task.is_finished());
        let idle = self.open.iter().enumerate();
        let idle = idle.filter_map(|(index, (activity, _))| Some((activity.idle_for()?, index)));
        let longest = idle.filter(|(idle, _)| *idle >= at_least).max_by_key(|(idle, _)| *idle);
        if let Some((_, index)) = longest {
            self.open.swap_remove(index).1.abort();
        }
        longest.is_some()
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let guarded = api::routes().merge(pages::routes()).layer(axum::middleware::from_fn(guard::local));
    guarded.merge(ingest::routes(&shared)).with_state(shared)
}
