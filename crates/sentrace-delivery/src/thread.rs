//! The worker's thread and runtime, which are its own: any host runtime will do, and none as well.

use std::sync::mpsc::sync_channel;

use sentrace_core::diagnostics::with_debug_mode;
use tokio::runtime::{Builder, Runtime};

use crate::StartError;
use sentrace_outbox::Consumer;

/// Starts the thread and waits until it can run. `debug`: whether its client is in debug mode.
pub(crate) fn start(
    work: impl Future<Output = ()> + Send + 'static,
    consumer: Consumer,
    debug: bool,
) -> Result<(), StartError> {
    let (tell, told) = sync_channel(1);
    std::thread::Builder::new()
        .name("sentrace-worker".to_owned())
        .spawn(move || match runtime() {
            Ok(runtime) => {
                give_way();
                // Nobody waits for this any more only if the process is ending.
                let _ = tell.send(Ok(()));
                with_debug_mode(debug, || run(runtime, work, consumer));
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        })
        .map_err(|error| StartError::of_machine("the delivery thread cannot be started", error))?;
    match told.recv() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(StartError::of_machine("the delivery thread has no I/O", error)),
        Err(error) => Err(StartError::of_machine("the delivery thread ended at once", error)),
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

/// Nothing in here may use the runtime's threads for blocking work: tokio panics if the system gives it none.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn run(runtime: Runtime, work: impl Future<Output = ()>, consumer: Consumer) {
    consumer.start();
    runtime.block_on(work);
    drop(consumer);
    runtime.shutdown_background();
}
