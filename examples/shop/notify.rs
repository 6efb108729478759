//! The notification job: a process that continues the trace of the worker that started it.

use std::io::Write as _;
use std::thread::sleep;
use std::time::Duration;

use sentrace::{Options, SpanStatus};

use crate::Error;

/// The hidden first argument that makes the shop run as this job.
pub(crate) const ARGUMENT: &str = "notify";

/// A program without a runtime, since delivery has its own thread.
pub(crate) fn run(order: &str) -> Result<(), Error> {
    // The worker sets SENTRY_DSN and other options, and its trace in SENTRY_TRACE and
    // SENTRY_BAGGAGE.
    let _sentrace = sentrace::init(Options::from_env().server_name("notifications-1"))?;

    // Outside of a request, a transaction continues the trace of the environment.
    let transaction = sentrace::start_transaction("send confirmation", "task");
    transaction.enter(|| {
        let letter = write_letter(order);
        send(&letter)
    })?;
    transaction.set_status(SpanStatus::Ok);
    transaction.finish();
    Ok(()) // here the guard goes, and does not let the process end before everything has been sent
}

fn write_letter(order: &str) -> String {
    let _span = sentrace::start_span("template.render", "confirmation.txt");
    sleep(Duration::from_millis(3));
    format!("Dear customer,\nyour order {order} is on its way.\n")
}

fn send(letter: &str) -> std::io::Result<()> {
    let span = sentrace::start_span("task", "hand over to the mail server");
    span.set_data("mail.size", letter.len() as u64);
    sleep(Duration::from_millis(8));
    std::io::stdout().write_all(letter.as_bytes())
}
