//! The worker's own thread and runtime, so that services may use any runtime, or none.

use std::sync::mpsc::sync_channel;

use sentrace_core::diagnostics::with_debug_mode;
use tokio::runtime::{Builder, Runtime};

use crate::StartError;
use sentrace_outbox::Consumer;

/// Starts the thread and waits until it runs. `debug` is whether its client is in debug mode.
pub(crate) fn start(
    work: impl Future<Output = ()> + Send + 'static,
    consumer: Consumer,
    debug: bool,
) -> Result<(), StartError> {
    let (sender, receiver) = sync_channel(1);
    std::thread::Builder::new()
        .name("sentrace-worker".to_owned())
        .spawn(move || match runtime() {
            Ok(runtime) => {
                lower_priority();
                // The receiver is only gone if the process is ending.
                let _ = sender.send(Ok(()));
                with_debug_mode(debug, || run(runtime, work, consumer));
            }
            Err(error) => {
                let _ = sender.send(Err(error));
            }
        })
        .map_err(|error| StartError::of_machine("the delivery thread cannot be started", error))?;
    match receiver.recv() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(StartError::of_machine("the delivery thread has no I/O", error)),
        Err(error) => Err(StartError::of_machine("the delivery thread ended at once", error)),
    }
}

/// Lets requests go first on a busy machine. With this niceness, the worker gets about a thirtieth of a processor beside a
/// busy thread. If that is not enough to deliver everything, backpressure lowers the sample rates.
#[cfg(target_os = "linux")]
fn lower_priority() {
    const NICENESS: i32 = 15;
    // If the system refuses, the worker competes with requests.
    let _ = rustix::process::nice(NICENESS);
}

/// On other systems, niceness applies to the whole process.
#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

/// The worker must not spawn blocking tasks: tokio panics if no thread can be started for them.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn run(runtime: Runtime, work: impl Future<Output = ()>, consumer: Consumer) {
    consumer.start();
    runtime.block_on(work);
    drop(consumer);
    runtime.shutdown_background();
}
