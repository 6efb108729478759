//! Making a span current where entering and leaving are two calls of somebody else.

use super::swap;
use crate::span::SpanRef;

/// Makes `span` current and gives back what was: the way of adapters that are told of entering and leaving apart, and
/// not of one around the other. Whoever calls this brings the previous one back; everybody else uses
/// [`enter`](super::enter).
///
/// ```
/// use sentrace_core::{SpanRef, current};
///
/// let previous = current::replace(SpanRef::default());
/// // ... until the other call comes
/// current::replace(previous);
/// ```
pub fn replace(mut span: SpanRef) -> SpanRef {
    swap(&mut span);
    span
}
