//! Propagates the trace to subprocesses by `SENTRY_TRACE` and `SENTRY_BAGGAGE` (Sentry SDK
//! specification, *Trace Propagation* 1.9).
//!
//! A child process that uses sentrace continues the trace by itself:
//! [`Options::from_env`](crate::Options::from_env) reads the variables, and transactions that start
//! outside any request belong to that trace.

use std::io;
use std::path::Path;
use std::process::{Child, Command};

use sentrace_protocol::{SpanStatus, Value};

use crate::client::current::current_span;
use crate::handle::instrumented_span::InstrumentedSpan;
use crate::handle::span::{Span, SpanRef};
use crate::record::MANUAL;

/// Returns the variables that pass a span's trace to a child process. There are none if there is no
/// trace.
///
/// ```
/// use std::process::Command;
///
/// let mut command = Command::new("true");
/// command.envs(sentrace_core::carriers::env::variables(&sentrace_core::current_span()));
/// ```
pub fn variables(span: &SpanRef) -> impl Iterator<Item = (&'static str, String)> {
    let headers = span.trace_headers();
    let trace = headers.as_ref().map(|headers| ("SENTRY_TRACE", headers.sentry_trace().to_string()));
    let baggage =
        headers.as_ref().and_then(|headers| Some(("SENTRY_BAGGAGE", headers.baggage()?.to_owned())));
    trace.into_iter().chain(baggage)
}

/// Commands whose child continues the current trace.
///
/// This trait is sealed. For `tokio::process::Command` use `command.as_std_mut()` with [`prepare`](Self::prepare).
///
/// ```no_run
/// use std::process::Command;
/// use sentrace_core::carriers::env::TracedCommand;
///
/// let (mut child, span) = Command::new("send-mail").arg("--order=7").spawn_traced()?;
/// let status = child.wait()?;
/// span.set_data("process.exit.code", status.code().unwrap_or(-1));
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait TracedCommand: sealed::Sealed {
    /// Starts a `subprocess` span below the current one, and sets the child's variables. Finish the
    /// span when the child has ended.
    fn prepare(&mut self) -> Span;

    /// Prepares and spawns the command.
    ///
    /// # Errors
    /// Returns the errors of `spawn`, which the span records.
    fn spawn_traced(&mut self) -> io::Result<(Child, Span)>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Command {}
}

impl TracedCommand for Command {
    fn prepare(&mut self) -> Span {
        // Only the name is recorded: paths differ between machines, and arguments may be secret.
        let program = Path::new(self.get_program()).file_name().unwrap_or_default().to_string_lossy();
        let attributes = [("process.executable.name", Value::from(&*program))];
        let start = InstrumentedSpan::new("subprocess", MANUAL, &program);
        let span = InstrumentedSpan { attributes: &attributes, ..start }.start(&current_span());
        let carrying = crate::client::process::or_process_trace(SpanRef::clone(&span));
        if !carrying.is_none() {
            // The variable of this process belongs to another trace, and children inherit it.
            self.env_remove("SENTRY_BAGGAGE");
        }
        self.envs(variables(&carrying));
        span
    }

    fn spawn_traced(&mut self) -> io::Result<(Child, Span)> {
        let span = self.prepare();
        match self.spawn() {
            Ok(child) => {
                span.set_data("process.pid", child.id());
                Ok((child, span))
            }
            Err(error) => {
                span.set_status(SpanStatus::InternalError);
                span.set_data("error.type", error.kind().to_string());
                Err(error)
            }
        }
    }
}
