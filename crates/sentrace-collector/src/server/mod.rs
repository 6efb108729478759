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

/// When there are as many, the one that has kept us waiting for longest goes before another comes.
const MAX_CONNECTIONS: usize = 512;
/// It has done nothing for so long; if all have done something, one of them may end by itself within [`GRACE`].
const QUIET: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_millis(100);
/// After a failed `accept` (out of descriptors, most likely) the next one waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the future is dropped; its connections end with it.
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
    /// Waits for long only if every connection is one that the collector itself keeps waiting.
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

    /// Ends the connection whose client has kept us waiting for longest, if that is at least as long as this.
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
