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

use self::activity::Activity;
use crate::shared::Shared;

/// When there are as many, the one that has kept us waiting for longest goes before another comes.
const MAX_CONNECTIONS: usize = 512;
/// After a failed `accept` (out of descriptors, most likely) the next one waits this long, and a connection that has
/// done nothing for as long as [`QUIET`] goes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const QUIET: Duration = Duration::from_secs(1);

/// Serves until the future is dropped; its connections end with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = router(Arc::clone(&shared));
    let since = Instant::now();
    let mut connections = Connections::default();
    loop {
        connections.make_room().await;
        let Ok((stream, _)) = listener.accept().await else {
            connections.give_up(QUIET);
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
    /// Waits only if every connection is one that the collector itself keeps waiting.
    async fn make_room(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        while self.tasks.len() >= MAX_CONNECTIONS {
            self.give_up(Duration::ZERO);
            self.tasks.join_next().await;
        }
        if self.open.len() >= 2 * MAX_CONNECTIONS {
            self.open.retain(|(_, task)| !task.is_finished());
        }
    }

    /// Ends the connection whose client has kept us waiting for longest, if it is at least as long as this.
    fn give_up(&mut self, at_least: Duration) {
        self.open.retain(|(_, task)| !task.is_finished());
        let idle = self.open.iter().enumerate();
        let idle = idle.filter_map(|(index, (activity, _))| Some((activity.idle_for()?, index)));
        if let Some((_, index)) = idle.filter(|(idle, _)| *idle >= at_least).max_by_key(|(idle, _)| *idle) {
            self.open.swap_remove(index).1.abort();
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let guarded = api::routes().merge(pages::routes()).layer(axum::middleware::from_fn(guard::local));
    guarded.merge(ingest::routes(&shared)).with_state(shared)
}
