//! The worker's thread and runtime, which are its own: any host runtime will do, and none as well.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::ThreadId;

use sentrace_core::Losses;
use sentrace_protocol::Reason;
use tokio::runtime::{Builder, Runtime};

use crate::StartError;
use crate::control::{Control, End};
use crate::load::Load;
use crate::queue::Queue;
use crate::worker::Worker;

/// Threads that look up host names.
const MAX_LOOKUPS: usize = 2;

/// What stays behind when the worker is gone.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) queue: Arc<Queue>,
    pub(crate) control: Arc<Control>,
    pub(crate) losses: Arc<Losses>,
}

/// Starts the thread and waits until it can run.
pub(crate) fn start(worker: Worker, shared: Shared) -> Result<ThreadId, StartError> {
    let (tell, told) = sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("sentrace-worker".to_owned())
        .spawn(move || match runtime() {
            Ok(runtime) => {
                give_way();
                // Who waits for this has gone only if the process is ending.
                let _ = tell.send(Ok(()));
                run(runtime, worker, shared);
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        })
        .map_err(|error| StartError::new("the delivery thread cannot be started", error))?;
    match told.recv() {
        Ok(Ok(())) => Ok(thread.thread().id()),
        Ok(Err(error)) => Err(StartError::new("the delivery thread has no I/O", error)),
        Err(error) => Err(StartError::new("the delivery thread ended at once", error)),
    }
}

/// Where the processors are busy, requests come first: with this much niceness the worker gets about a thirtieth of one beside
/// a thread that serves, and what it cannot deliver of that is what back-pressure is for.
#[cfg(target_os = "linux")]
fn give_way() {
    const NICENESS: i32 = 15;
    // A system that does not let it is one where the worker competes with requests.
    let _ = rustix::process::nice(NICENESS);
}

/// Elsewhere niceness is that of the whole process.
#[cfg(not(target_os = "linux"))]
fn give_way() {}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MAX_LOOKUPS)
        .thread_name("sentrace-lookup")
        .build()
}

fn run(runtime: Runtime, worker: Worker, shared: Shared) {
    let ends = EndOnDrop(shared);
    runtime.block_on(worker.run());
    drop(ends);
    // A lookup that hangs must not keep the thread.
    runtime.shutdown_background();
}

/// Also where the worker itself panics: then too nobody waits for it in vain, and nothing goes uncounted.
struct EndOnDrop(Shared);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        let Shared { queue, control, losses } = &self.0;
        queue.end();
        while let Some(finished) = queue.pop() {
            Load::transaction(&finished, losses).lost(Reason::InternalSdkError);
        }
        queue.spans().end(Reason::InternalSdkError);
        control.end(End::CutShort);
    }
}
