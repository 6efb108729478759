//! What knows nothing of Sentry.

pub(crate) mod hex;
pub(crate) mod json_size;
pub(crate) mod scan;
pub(crate) mod text_enum;
