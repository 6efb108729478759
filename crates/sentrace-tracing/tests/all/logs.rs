//! The trace in log lines.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use sentrace_tracing::WithTraceId;
use tracing::{info, info_span};
use tracing_subscriber::fmt::{self, MakeWriter, format};
use tracing_subscriber::prelude::*;

use crate::support::recording;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)))
            .unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn log_lines_begin_with_the_trace() {
    let lines = Lines::default();
    let line = format().without_time().with_ansi(false).with_target(false);
    let logs = fmt::layer().event_format(WithTraceId(line)).with_ansi(false).with_writer(lines.clone());
    let _default = tracing::subscriber::set_default(
        tracing_subscriber::registry().with(logs).with(sentrace_tracing::layer()),
    );
    let (client, _capture) = recording();
    info!("before");
    assert_eq!(lines.take(), " INFO before\n", "outside there is no trace");
    client.start_transaction("work", "task").enter(|| {
        let trace_id = sentrace_tracing::trace_id().unwrap();
        let transaction = sentrace_tracing::span_id().unwrap();
        info!("inside");
        assert_eq!(lines.take(), format!("trace_id={trace_id} span_id={transaction}  INFO inside\n"));
        info_span!("deeper").in_scope(|| {
            let span = sentrace_tracing::span_id().unwrap();
            assert_ne!(span, transaction);
            info!("deeper");
            assert_eq!(lines.take(), format!("trace_id={trace_id} span_id={span}  INFO deeper: deeper\n"));
        });
    });
}

#[test]
fn lines_in_json_tell_the_trace_of_the_bound_span() {
    let lines = Lines::default();
    let logs = fmt::layer().json().without_time().with_writer(lines.clone());
    let _default = tracing::subscriber::set_default(
        tracing_subscriber::registry().with(logs).with(sentrace_tracing::layer()),
    );
    let (client, _capture) = recording();
    client.start_transaction("work", "task").enter(|| {
        sentrace_tracing::bound_span().in_scope(|| info!("inside"));
        let expected =
            format!(r#""span":{{"trace_id":"{}","name":"request"}}"#, sentrace_tracing::trace_id().unwrap());
        let line = lines.take();
        assert!(line.contains(&expected), "{line}");
    });
}
