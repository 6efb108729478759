//! The layer's settings.

use std::fmt;

use sentrace_core::adapter::run_hook;
use sentrace_core::carriers::job::Process;
use sentrace_core::{Client, Transaction};

use super::head::JobHead;

#[derive(Clone)]
pub(super) struct Config<F> {
    pub(super) queue: String,
    pub(super) system: Option<String>,
    pub(super) client: Option<Client>,
    pub(super) read: F,
}

impl<F> Config<F> {
    pub(super) fn start<Job>(&self, job: &Job) -> Transaction
    where
        F: Fn(&Job) -> JobHead,
    {
        let Some(head) = run_hook(|| (self.read)(job)) else { return Transaction::none() };
        let mut process = Process::of(&self.queue, &head.name);
        if let Some(system) = &self.system {
            process = process.system(system);
        }
        if let Some(id) = &head.message_id {
            process = process.message_id(id);
        }
        if let Some(bytes) = head.body_size {
            process = process.body_size(bytes);
        }
        if let Some(count) = head.retry_count {
            process = process.retry_count(count);
        }
        if let Some(client) = &self.client {
            process = process.client(client);
        }
        let transaction = process.start(&head.trace);
        transaction.set_origin(ORIGIN);
        transaction
    }
}

const ORIGIN: &str = "auto.queue.tower";

impl<F> fmt::Debug for Config<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("queue", &self.queue)
            .field("system", &self.system)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
