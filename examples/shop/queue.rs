//! The queue between backend and worker. Messages are text, as with a broker, and carry their
//! trace.

use sentrace::job::{JobTrace, Publish};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::Error;

pub(crate) const NAME: &str = "orders";

/// A message. The trace is an ordinary field.
#[derive(Serialize, Deserialize)]
pub(crate) struct OrderPlaced {
    pub(crate) order: i64,
    /// Messages from before tracing was added have no trace, and are processed as well.
    #[serde(default)]
    pub(crate) trace: JobTrace,
}

#[derive(Clone)]
pub(crate) struct Queue(mpsc::Sender<String>);

impl Queue {
    /// Creates the queue and its receiver for the worker.
    pub(crate) fn new() -> (Self, mpsc::Receiver<String>) {
        let (sender, receiver) = mpsc::channel(100);
        (Self(sender), receiver)
    }

    pub(crate) async fn publish(&self, order: i64) -> Result<(), Error> {
        // A `queue.publish` span, and the trace that the message carries.
        let (span, trace) = Publish::to(NAME).message_id(&order.to_string()).start();
        let message = serde_json::to_string(&OrderPlaced { order, trace })?;
        span.set_data("messaging.message.body.size", message.len() as u64);
        self.0.send(message).await?;
        span.finish();
        Ok(())
    }
}
