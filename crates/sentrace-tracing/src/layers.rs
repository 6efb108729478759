//! Which layers of ours there are, which of them do the same work, and that one is gone.
//!
//! Layers are told about each other in no reliable way. One on top of another sees it in `Layer::on_layer`. Those that are
//! joined by `and_then` are both told of the whole subscriber. Those in a `Vec` are not, but are shown the same subscriber
//! right after each other. One that a `reload` handle puts in is told nothing, and meets the others at the first span. So all
//! meet here.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sentrace_core::Client;
use tracing::Dispatch;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::ExtensionsMut;

use crate::entered;
use crate::layer_id::LayerId;

/// Those that are part of a subscriber, in the order in which they said so.
static LAYERS: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

thread_local! {
    /// The subscriber that was shown to a layer last, by its address at that time, and the layer.
    static SHOWN: Cell<Option<(usize, LayerId)>> = const { Cell::new(None) };
}

/// What a layer does in its subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Role {
    /// All there is to do.
    Alone = 0,
    /// Nothing: another one does.
    Redundant = 1,
    /// What belongs to its client, beside layers with other clients, and what belongs to none of them.
    First = 2,
    /// What belongs to its client.
    Further = 3,
}

const ROLE: u8 = 3;
/// It is not certain that the others of its group are in the same subscriber: its next span tells.
const UNSURE: u8 = 4;
/// It has not been told of any subscriber.
const UNTOLD: u8 = 8;

struct Entry {
    id: LayerId,
    /// The same for all layers of a subscriber: the address of its registry, once a layer was told.
    group: u64,
    client: Option<Client>,
    state: Arc<AtomicU8>,
}

impl Entry {
    fn is_unsure(&self) -> bool {
        self.state.load(Ordering::Relaxed) & UNSURE != 0
    }

    fn set(&self, role: Role, unsure: bool) {
        self.state.store(role as u8 | if unsure { UNSURE } else { 0 }, Ordering::Relaxed);
    }

    fn does_the_same(&self, other: &Self) -> bool {
        match (&self.client, &other.client) {
            (Some(client), Some(other)) => client.ptr_eq(other),
            // Without a client of its own a layer takes whatever is current.
            _ => true,
        }
    }
}

/// In a span: a layer of this group was told of it.
struct Told(u64);

/// A layer's place among the others, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    id: LayerId,
    state: Arc<AtomicU8>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { id: LayerId::new(), state: Arc::new(AtomicU8::new(UNTOLD)) }
    }

    #[inline]
    pub(crate) fn id(&self) -> LayerId {
        self.id
    }

    #[inline]
    pub(crate) fn role(&self) -> Role {
        match self.state.load(Ordering::Relaxed) & ROLE {
            1 => Role::Redundant,
            2 => Role::First,
            3 => Role::Further,
            _ => Role::Alone,
        }
    }

    /// Whether the next span may tell more about the other layers.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        self.state.load(Ordering::Relaxed) & (UNSURE | UNTOLD) == 0
    }

    /// The layer is put on this subscriber, which has `inner` already.
    pub(crate) fn put_on(&self, subscriber: usize, inner: Option<&Self>, client: Option<&Client>) {
        let layers = &mut *lock(&LAYERS);
        self.enter(layers, self.id.group(), client);
        let shown = SHOWN.try_with(|shown| shown.replace(Some((subscriber, self.id)))).ok().flatten();
        if let Some(inner) = inner {
            self.follow(layers, inner.id, false);
        } else if let Some((address, before)) = shown
            && address == subscriber
            && let Some(group) = group_of(layers, before)
            && group & 1 == 1
        {
            self.follow(layers, before, true);
        }
    }

    /// The layer is part of this subscriber.
    pub(crate) fn join(&self, subscriber: &Dispatch, client: Option<&Client>) {
        let Some(registry) = address(subscriber) else { return };
        let layers = &mut *lock(&LAYERS);
        let before = group_of(layers, self.id);
        self.enter(layers, registry, client);
        // Those that are certainly in the same one come along, such as those of a `Vec` below.
        for entry in layers.iter_mut().filter(|entry| Some(entry.group) == before && !entry.is_unsure()) {
            entry.group = registry;
        }
        if let Some(before) = before {
            assign(layers, before);
        }
        assign(layers, registry);
    }

    /// The layer is told of a span, perhaps without having been told of a subscriber.
    #[cold]
    pub(crate) fn introduce(&self, client: Option<&Client>) {
        if self.state.load(Ordering::Relaxed) & UNTOLD != 0 {
            self.enter(&mut lock(&LAYERS), self.id.group(), client);
        }
    }

    /// This layer and another one were told of the same span.
    #[cold]
    pub(crate) fn meet(&self, other: LayerId) {
        let layers = &mut *lock(&LAYERS);
        let (Some(own), Some(group)) = (group_of(layers, self.id), group_of(layers, other)) else { return };
        let (from, into) = if own & 1 == 0 { (group, own) } else { (own, group) };
        for entry in layers.iter_mut().filter(|entry| entry.group == from) {
            entry.group = into;
        }
        assign(layers, into);
    }

    /// Leaves a sign in a span that this layer is told of, or looks for that of the layer whose work it may be: now it is
    /// certain whether they are in the same subscriber.
    #[cold]
    pub(crate) fn settle(&self, span: &mut ExtensionsMut<'_>) {
        let layers = &mut *lock(&LAYERS);
        let Some(group) = group_of(layers, self.id) else { return };
        if self.state.load(Ordering::Relaxed) & UNSURE == 0 {
            return;
        }
        let is_leader =
            layers.iter().find(|entry| entry.group == group).is_some_and(|entry| entry.id == self.id);
        if is_leader {
            span.replace(Told(group));
            return;
        }
        self.state.fetch_and(!UNSURE, Ordering::Relaxed);
        if span.get_mut::<Told>().is_none_or(|told| told.0 != group) {
            for entry in layers.iter_mut().filter(|entry| entry.id == self.id) {
                entry.group = self.id.group();
            }
            assign(layers, self.id.group());
        }
        assign(layers, group);
    }

    /// Adds or moves its entry to the end of a group.
    fn enter(&self, layers: &mut Vec<Entry>, group: u64, client: Option<&Client>) {
        layers.retain(|entry| entry.id != self.id);
        self.state.store(Role::Alone as u8, Ordering::Relaxed);
        layers.push(Entry { id: self.id, group, client: client.cloned(), state: Arc::clone(&self.state) });
    }

    /// Comes into the group of another layer.
    fn follow(&self, layers: &mut [Entry], other: LayerId, unsure: bool) {
        let Some(group) = group_of(layers, other) else { return };
        for entry in layers.iter_mut() {
            if entry.id == self.id {
                entry.group = group;
            }
            if unsure && (entry.id == self.id || entry.id == other) {
                entry.state.fetch_or(UNSURE, Ordering::Relaxed);
            }
        }
        assign(layers, group);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let gone = {
            let layers = &mut *lock(&LAYERS);
            let at = layers.iter().position(|entry| entry.id == self.id);
            let gone = at.map(|at| layers.remove(at));
            if let Some(gone) = &gone {
                assign(layers, gone.group);
            }
            gone
        };
        // Without the lock: the last handle of a client may run code of users.
        drop(gone);
        self.id.retire();
        // The subscriber does not report the exits of its spans any more.
        entered::forget_gone();
    }
}

/// Returns `true` if a layer has joined this subscriber.
pub(crate) fn has_joined(subscriber: &Dispatch) -> bool {
    address(subscriber).is_some_and(|registry| lock(&LAYERS).iter().any(|entry| entry.group == registry))
}

/// Whether another layer with this client is part of the same subscriber as the layer.
#[cold]
pub(crate) fn is_of_another(layer: LayerId, client: &Client) -> bool {
    let layers = lock(&LAYERS);
    let group = group_of(&layers, layer);
    let is_its = |entry: &Entry| entry.client.as_ref().is_some_and(|other| other.ptr_eq(client));
    layers.iter().any(|entry| entry.id != layer && Some(entry.group) == group && is_its(entry))
}

fn group_of(layers: &[Entry], id: LayerId) -> Option<u64> {
    layers.iter().find(|entry| entry.id == id).map(|entry| entry.group)
}

/// Gives the layers of a group their roles: the first one with a client works for all with that client.
fn assign(layers: &[Entry], group: u64) {
    let of_group = || layers.iter().filter(|entry| entry.group == group);
    let mut working: Vec<&Entry> = Vec::new();
    let others_are_unsure = of_group().skip(1).any(Entry::is_unsure);
    for (index, entry) in of_group().enumerate() {
        let unsure = if index == 0 { others_are_unsure } else { entry.is_unsure() };
        if working.iter().any(|other| entry.does_the_same(other)) {
            entry.set(Role::Redundant, unsure);
        } else {
            entry.set(Role::Alone, unsure);
            working.push(entry);
        }
    }
    if working.len() > 1 {
        for (index, entry) in working.iter().enumerate() {
            entry.set(if index == 0 { Role::First } else { Role::Further }, entry.is_unsure());
        }
    }
}

/// Layers need a registry of spans, and nearly everybody's is this one.
fn address(subscriber: &Dispatch) -> Option<u64> {
    subscriber.downcast_ref::<Registry>().map(|registry| std::ptr::from_ref(registry).addr() as u64)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
