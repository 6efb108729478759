//! The API for deliverers, which send finished transactions and spans to Sentry. Services do not
//! need it.

pub use crate::account::losses::Losses;
pub use crate::options::DeliverySettings;
pub use crate::trace::deliver::{Deliver, FinishedTransaction};
pub use crate::trace::finished_span::{DeliverSpans, FinishedSpan};
pub use crate::util::fork::process_id;
