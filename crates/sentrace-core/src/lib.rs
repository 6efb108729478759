//! Core of sentrace: sampling, transactions, spans, the current span, and trace propagation.
//!
//! Services use it through the `sentrace` crate. Adapters to HTTP libraries build on [`adapter`],
//! and transports implement the traits in [`deliver`]. It depends on no HTTP library and on no
//! runtime.
//!
//! ```
//! let transaction = sentrace_core::start_transaction("send invoice", "queue.task");
//! transaction.enter(|| {
//!     let span = sentrace_core::start_span("template", "invoice.html");
//!     span.set_data("lines", 12);
//! });
//! ```

mod account;
pub mod adapter;
mod api;
mod call;
pub mod carriers;
mod client;
mod decide;
pub mod deliver;
pub mod diagnostics;
mod handle;
mod idle;
mod options;
mod propagation;
mod record;
pub mod testing;
mod trace;
mod util;
pub mod values;

pub use self::account::close_report::CloseReport;
pub use self::account::stats::{ActiveLimit, DeliveryStats, Stats};
pub use self::api::idle::{
    finish_idle_transaction, pop_activity, push_activity, start_idle_transaction, start_idle_transaction_with,
};
pub use self::api::in_span::InCurrentSpan;
pub use self::api::in_span::in_span;
pub use self::api::in_span::try_in_span;
pub use self::api::in_span::with_current_span;
pub use self::api::{
    continue_trace, get_baggage, get_traceparent, start_new_trace, start_span, start_transaction,
    start_transaction_with, stats, trace_headers, trace_meta_tags,
};
#[cfg(feature = "http")]
pub use self::call::inject::{inject, inject_headers};
pub use self::client::Client;
pub use self::client::current::current_span;
pub use self::decide::ignore::IgnoreSpan;
pub use self::decide::sampling::{Sampler, SamplingContext};
pub use self::decide::transaction_options::TransactionOptions;
pub use self::handle::scoped::Scoped;
pub use self::handle::span::{Span, SpanRef};
pub use self::handle::trace::Trace;
pub use self::handle::transaction::Transaction;
pub use self::idle::activity::Activity;
pub use self::idle::handle::IdleTransaction;
pub use self::idle::span_options::SpanOptions;
pub use self::options::idle::IdleOptions;
pub use self::options::lifecycle::TraceLifecycle;
pub use self::options::{
    BeforeSendSpan, BeforeSendTransaction, Compression, Options, OptionsError, Spotlight,
};
pub use self::propagation::outgoing::Origin;
pub use self::propagation::trace_headers::TraceHeaders;
pub use self::record::content::ContentCollection;
pub use self::record::data_collection::{Collect, DataCollection};
pub use self::util::pattern::PatternError;
pub use sentrace_protocol::{SpanLink, User, link_type};
