//! Which spans are entered on this thread, and what was current before each.
//!
//! `tracing` tells of entering and leaving apart, on any thread, and not always in the reverse order. A layer that is removed is
//! not told at all: what its spans made current is taken back as soon as it is gone, and on other threads before anybody
//! asks what is current.

use std::cell::{Cell, RefCell};

use sentrace_core::SpanRef;
use sentrace_core::adapter::current::{check_before_use, replace};
use sentrace_protocol::{SpanId, TraceId};
use tracing::span::Id;

use crate::layer_id::{self, LayerId};

thread_local! {
    static ENTERED: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    /// How many layers were gone when this thread looked last.
    static SEEN_GONE: Cell<usize> = const { Cell::new(0) };
}

struct Entry {
    layer: LayerId,
    /// Unique among the spans of a subscriber.
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

/// Makes it current on this thread until [`exit`] is called with the same `layer` and `id`.
pub(crate) fn enter(layer: LayerId, id: &Id, entering: Entering) {
    // On a thread that is going down nothing is entered any more.
    let _ = ENTERED.try_with(|entered| {
        if let Ok(mut entered) = entered.try_borrow_mut() {
            if entered.is_empty() {
                let _ = SEEN_GONE.try_with(|seen| seen.set(layer_id::gone()));
                check_before_use(Some(forget_gone));
            }
            let Entering { span, began } = entering;
            let made_current = Identity::of(&span);
            entered.push(Entry { layer, id: id.clone(), made_current, began, previous: replace(span) });
        }
    });
}

/// Makes current what was so before the last [`enter`] with this `layer` and `id`, and gives back what that made current;
/// does nothing where there was none.
pub(crate) fn exit(layer: LayerId, id: &Id) -> Option<Entering> {
    let exit = |entered: &RefCell<Vec<Entry>>| {
        let mut entered = entered.try_borrow_mut().ok()?;
        let at = entered.iter().rposition(|entry| entry.id == *id && entry.layer == layer)?;
        leave(&mut entered, at)
    };
    ENTERED.try_with(exit).ok().flatten()
}

fn leave(entered: &mut Vec<Entry>, at: usize) -> Option<Entering> {
    let left = entered.remove(at);
    if entered.is_empty() {
        check_before_use(None);
    }
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
}

/// Leaves the spans of layers that are gone, which nobody else will do.
pub(crate) fn forget_gone() {
    let gone = layer_id::gone();
    let is_new = |seen: &Cell<usize>| seen.replace(gone) != gone;
    if SEEN_GONE.try_with(is_new).unwrap_or(false) {
        leave_gone();
    }
}

#[cold]
fn leave_gone() {
    let mut left = Vec::new();
    let _ = ENTERED.try_with(|entered| {
        let Ok(mut entered) = entered.try_borrow_mut() else { return };
        while let Some(at) = entered.iter().rposition(|entry| !entry.layer.is_alive()) {
            left.push(leave(&mut entered, at));
        }
    });
    // What was current may be the last handle of something: dropped when nothing here is borrowed.
    drop(left);
}

#[cfg(test)]
mod tests {
    use sentrace_core::testing::Capture;
    use sentrace_core::{Options, current_span};

    use super::*;
    use crate::layers::Place;

    fn current() -> Option<SpanId> {
        current_span().span_id()
    }

    #[test]
    fn what_was_current_comes_back_in_whatever_order_spans_are_left() {
        let (client, _capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
        let transaction = client.start_transaction("work", "task");
        let spans = [(); 3].map(|()| transaction.start_span("task", "one of three"));
        let ids = [1, 2, 3].map(Id::from_u64);
        let place = Place::new();
        let layer = place.id();
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for (id, span) in ids.iter().zip(&spans) {
                enter(layer, id, Entering { span: (**span).clone(), began: true });
            }
            let mut open = vec![0, 1, 2];
            for left in order {
                exit(layer, &ids[left]);
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
        let place = Place::new();
        enter(place.id(), &id, Entering { span: (*ours).clone(), began: false });
        others.enter(|| {
            assert!(exit(place.id(), &id).is_none());
            assert_eq!(current(), others.span_id());
        });
        replace(SpanRef::default());
    }

    #[test]
    fn a_span_that_was_never_entered_here_can_be_left() {
        assert!(exit(Place::new().id(), &Id::from_u64(7)).is_none());
        assert_eq!(current(), None);
    }

    #[test]
    fn equal_ids_of_two_subscribers_are_told_apart_in_any_order() {
        let (client, _capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
        let transaction = client.start_transaction("work", "task");
        let spans = [(); 3].map(|()| transaction.start_span("task", "one of three"));
        let (one, two) = (Place::new(), Place::new());
        let id = Id::from_u64(1);
        // The span of the first subscriber is entered twice.
        let layers = [one.id(), two.id(), one.id()];
        for order in [[0, 1, 2], [1, 0, 2], [0, 2, 1]] {
            for (layer, span) in layers.iter().zip(&spans) {
                enter(*layer, &id, Entering { span: (**span).clone(), began: true });
            }
            let mut open = vec![0, 1, 2];
            for left in order {
                exit(layers[left], &id);
                // What one subscriber enters twice is left from the top.
                let last = open.iter().rposition(|still| layers[*still] == layers[left]).unwrap();
                open.remove(last);
                let expected = open.last().and_then(|top| spans[*top].span_id());
                assert_eq!(current(), expected, "{order:?}, after {left}");
            }
        }
    }

    #[test]
    fn what_a_layer_made_current_goes_with_it() {
        let (client, _capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
        let transaction = client.start_transaction("work", "task");
        let spans = [(); 2].map(|()| transaction.start_span("task", "one of two"));
        let (stays, goes) = (Place::new(), Place::new());
        enter(goes.id(), &Id::from_u64(1), Entering { span: (*spans[0]).clone(), began: true });
        enter(stays.id(), &Id::from_u64(1), Entering { span: (*spans[1]).clone(), began: true });
        drop(goes);
        assert_eq!(current(), spans[1].span_id());
        exit(stays.id(), &Id::from_u64(1));
        assert_eq!(current(), None);
    }
}
