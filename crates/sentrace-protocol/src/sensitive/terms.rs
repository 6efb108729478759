//! Whether a name contains one of several terms, found in one pass over its bytes.

/// More than enough for the letters of all terms.
const STATES: usize = 256;
/// Letters in either case, the hyphen, and everything else.
const CLASSES: usize = 32;
/// Where a term has ended; nothing leads away from there.
const FOUND: u8 = 255;

/// The automaton of Aho and Corasick: each state is the longest start of a term that the bytes so far end with.
pub(super) struct Terms {
    next: [[u8; CLASSES]; STATES],
}

impl Terms {
    /// Terms are of lower-case letters and hyphens.
    pub(super) const fn new(lists: &[&[&str]]) -> Self {
        let mut next = [[0; CLASSES]; STATES];
        let mut states = 1;
        let mut list = 0;
        while list < lists.len() {
            let mut term = 0;
            while term < lists[list].len() {
                states = add(&mut next, states, lists[list][term].as_bytes());
                term += 1;
            }
            list += 1;
        }
        Self { next: with_fallbacks(next, states as usize) }
    }

    /// Whether a term is in `name`, in either case.
    #[inline]
    pub(super) fn are_in(&self, name: &[u8]) -> bool {
        let end = name.iter().fold(0, |state: u8, byte| {
            self.next[usize::from(state) % STATES][usize::from(CLASS[usize::from(*byte)]) % CLASSES]
        });
        end == FOUND
    }
}

/// The states for one more term; returns how many there are then.
const fn add(next: &mut [[u8; CLASSES]; STATES], mut states: u8, term: &[u8]) -> u8 {
    let (mut state, mut at) = (0, 0);
    while at < term.len() {
        let class = CLASS[term[at] as usize] as usize;
        if at + 1 == term.len() {
            next[state][class] = FOUND;
        } else if next[state][class] == 0 {
            next[state][class] = states;
            states += 1;
        }
        // A term that begins with another one is found with that.
        if next[state][class] == FOUND {
            break;
        }
        state = next[state][class] as usize;
        at += 1;
    }
    states
}

/// Adds where to go on where a byte does not continue the term: in the state of the longest rest that begins one.
const fn with_fallbacks(mut next: [[u8; CLASSES]; STATES], states: usize) -> [[u8; CLASSES]; STATES] {
    let mut fallback = [0_u8; STATES];
    let mut queue = [0_u8; STATES];
    let (mut head, mut tail) = (0, 1);
    while head < tail {
        let state = queue[head] as usize;
        head += 1;
        let mut class = 0;
        while class < CLASSES {
            let target = next[state][class];
            // The first state falls back to itself.
            let elsewhere = if state == 0 { 0 } else { next[fallback[state] as usize][class] };
            if target == 0 || elsewhere == FOUND {
                next[state][class] = elsewhere;
            } else if target != FOUND {
                fallback[target as usize] = elsewhere;
                queue[tail] = target;
                tail += 1;
            }
            class += 1;
        }
    }
    assert!(states < FOUND as usize, "there are more terms than states for them");
    next[FOUND as usize] = [FOUND; CLASSES];
    next
}

const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut letter = 0;
    while letter < 26 {
        class[b'a' as usize + letter] = letter as u8 + 1;
        class[b'A' as usize + letter] = letter as u8 + 1;
        letter += 1;
    }
    class[b'-' as usize] = 27;
    class
};
