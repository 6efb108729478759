//! Which spans are entered on this thread, and what was current before each.
//!
//! `tracing` tells of entering and leaving apart, on any thread, and not always in the reverse order.

use std::cell::RefCell;

use sentrace_core::SpanRef;
use sentrace_core::current::replace;
use sentrace_protocol::{SpanId, TraceId};
use tracing::span::Id;

thread_local! {
    static ENTERED: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

struct Entry {
    id: Id,
    /// What was made current, to know it again.
    made_current: Identity,
    began: bool,
    /// What was current before.
    previous: SpanRef,
}

#[derive(PartialEq)]
struct Identity(Option<TraceId>, Option<SpanId>);

impl Identity {
    fn of(span: &SpanRef) -> Self {
        Self(span.trace_id(), span.span_id())
    }
}

/// What is made current where a span is entered.
pub(crate) struct Entering {
    pub(crate) span: SpanRef,
    /// Whether it began with the span that is entered, and is no transaction.
    pub(crate) began: bool,
}

/// Makes it current on this thread until [`exit`] is called with the same `id`.
pub(crate) fn enter(id: &Id, entering: Entering) {
    // On a thread that is going down nothing is entered any more.
    let _ = ENTERED.try_with(|entered| {
        if let Ok(mut entered) = entered.try_borrow_mut() {
            let Entering { span, began } = entering;
            let made_current = Identity::of(&span);
            entered.push(Entry { id: id.clone(), made_current, began, previous: replace(span) });
        }
    });
}

/// Makes current what was so before the last [`enter`] with this `id`, and gives back what that made current; does
/// nothing where there was none.
pub(crate) fn exit(id: &Id) -> Option<Entering> {
    let exit = |entered: &RefCell<Vec<Entry>>| {
        let mut entered = entered.try_borrow_mut().ok()?;
        let at = entered.iter().rposition(|entry| entry.id == *id)?;
        let left = entered.remove(at);
        if let Some(above) = entered.get_mut(at) {
            // Left out of order: who was entered on top of it will go back to what was below it.
            let span = std::mem::replace(&mut above.previous, left.previous);
            return Some(Entering { span, began: left.began });
        }
        let current = replace(left.previous);
        if Identity::of(&current) == left.made_current {
            return Some(Entering { span: current, began: left.began });
        }
        // Somebody who holds an entered span across an await leaves it in a scope that is not its own: then what is
        // current belongs to others.
        replace(current);
        None
    };
    ENTERED.try_with(exit).ok().flatten()
}

#[cfg(test)]
mod tests {
    use sentrace_core::testing::Capture;
    use sentrace_core::{Options, current_span};

    use super::*;

    fn current() -> Option<SpanId> {
        current_span().span_id()
    }

    #[test]
    fn what_was_current_comes_back_in_whatever_order_spans_are_left() {
        let (client, _capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
        let transaction = client.start_transaction("work", "task");
        let spans = [(); 3].map(|()| transaction.start_span("task", "one of three"));
        let ids = [1, 2, 3].map(Id::from_u64);
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for (id, span) in ids.iter().zip(&spans) {
                enter(id, Entering { span: (**span).clone(), began: true });
            }
            let mut open = vec![0, 1, 2];
            for left in order {
                exit(&ids[left]);
                open.retain(|still| *still != left);
                let expected = open.last().and_then(|top| spans[*top].span_id());
                assert_eq!(current(), expected, "{order:?}, after {left}");
            }
        }
    }

    #[test]
    fn a_span_that_is_left_in_the_scope_of_others_takes_nothing_from_them() {
        let (client, _capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
        let ours = client.start_transaction("ours", "task");
        let others = client.start_transaction("others", "task");
        let id = Id::from_u64(1);
        enter(&id, Entering { span: (*ours).clone(), began: false });
        others.enter(|| {
            assert!(exit(&id).is_none());
            assert_eq!(current(), others.span_id());
        });
        replace(SpanRef::default());
    }

    #[test]
    fn a_span_that_was_never_entered_here_can_be_left() {
        assert!(exit(&Id::from_u64(7)).is_none());
        assert_eq!(current(), None);
    }
}
