//! Finding bytes in headers, eight at a time.

/// Where `needle` first is.
///
/// Members of a header are short. What a vectorised search costs to start, and what a search by characters
/// costs for each, both show on the path of every request; this one does not.
pub(crate) fn find(needle: u8, bytes: &[u8]) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = marks(needle, *word);
        if marks != 0 {
            return Some(index * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    tail.iter().position(|byte| *byte == needle).map(|at| words.len() * 8 + at)
}

/// Where `needle` first is in a text, `from` there or further on. Texts are short: preparing the standard library's search takes longer than
/// looking for the first byte.
pub(crate) fn find_text(needle: &str, text: &str, from: usize) -> Option<usize> {
    let first = *needle.as_bytes().first()?;
    let mut at = from;
    loop {
        let rest = text.as_bytes().get(at..)?;
        at += find(first, rest)?;
        if text.as_bytes()[at..].starts_with(needle.as_bytes()) {
            return Some(at);
        }
        at += 1;
    }
}

/// Whether any of the `needles` is there.
#[inline]
pub(crate) fn contains_any<const N: usize>(needles: [u8; N], bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<16>() else {
        return bytes.iter().any(|byte| needles.contains(byte));
    };
    // The last sixteen overlap others, which costs less than to look at a rest one by one.
    let chunks = bytes.as_chunks::<16>().0.iter().chain([last]);
    let mut found = 0;
    for chunk in chunks {
        // Without a way out in the middle, all bytes of a chunk are compared at once.
        for byte in chunk {
            for needle in &needles {
                found |= u8::from(byte == needle);
            }
        }
    }
    found != 0
}

/// Returns `true` if `check` does for one of the positions whose byte, and the byte before it, `is_candidate` accepts. The
/// first byte has none before it and is left out.
///
/// Sixteen positions are judged at once, so `is_candidate` should be comparisons without branches. A position may be
/// checked twice.
#[inline]
pub(crate) fn any_candidate(
    bytes: &[u8],
    is_candidate: impl Fn(u8, u8) -> bool,
    mut check: impl FnMut(usize) -> bool,
) -> bool {
    const WIDTH: usize = 16;
    let mut short = [0; WIDTH + 1];
    let (bytes, last) = match bytes.len().checked_sub(WIDTH + 1) {
        Some(last) => (bytes, last),
        None => {
            short[..bytes.len()].copy_from_slice(bytes);
            (&short[..], 0)
        }
    };
    let mut start = 0;
    while let Some([first, rest @ ..]) = bytes.get(start..).and_then(<[u8]>::first_chunk::<{ WIDTH + 1 }>) {
        let mut before = [*first; WIDTH];
        before[1..].copy_from_slice(&rest[..WIDTH - 1]);
        let mut marks = [0; WIDTH];
        for (mark, (before, byte)) in marks.iter_mut().zip(before.iter().zip(rest)) {
            *mark = u8::from(is_candidate(*before, *byte));
        }
        let mut marks = u128::from_le_bytes(marks);
        while marks != 0 {
            if check(start + 1 + marks.trailing_zeros() as usize / 8) {
                return true;
            }
            marks &= marks - 1;
        }
        if start == last {
            break;
        }
        // The last sixteen overlap others, which costs less than to look at a rest one by one.
        start = (start + WIDTH).min(last);
    }
    false
}

/// Not zero where `needle` is among the eight bytes. The lowest bit that is set marks the first one; bits above it may be
/// wrong.
#[inline]
fn marks(needle: u8, word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const TOPS: u64 = u64::from_le_bytes([0x80; 8]);

    // What is equal becomes zero.
    let difference = u64::from_le_bytes(word) ^ u64::from_le_bytes([needle; 8]);
    difference.wrapping_sub(ONES) & !difference & TOPS
}

/// The parts between commas, without the blanks and tabs around them.
pub(crate) fn members(list: &str) -> impl Iterator<Item = &str> {
    members_if(list, |_| true)
}

/// The same for those that `is_wanted` accepts, with the blanks before them.
#[inline]
pub(crate) fn members_if(list: &str, is_wanted: impl Fn(&[u8]) -> bool) -> impl Iterator<Item = &str> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        loop {
            let start = next?;
            let rest = list.as_bytes().get(start..)?;
            let end = start + find(b',', rest).unwrap_or(rest.len());
            next = (end < list.len()).then_some(end + 1);
            if is_wanted(rest) {
                // A comma is ASCII, so both sides of it are text.
                return Some(trim(&list[start..end]));
            }
        }
    })
}

/// Without the optional whitespace of HTTP's lists.
pub(crate) fn trim(text: &str) -> &str {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    match text.as_bytes() {
        [first, .., last] if !blank(first) && !blank(last) => text,
        _ => text.trim_matches([' ', '\t']),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_of_several_is_found_as_one_by_one(bytes in "[a-c@]{0,40}") {
            let naive = bytes.contains(['@', 'c']);
            prop_assert_eq!(contains_any([b'@', b'c'], bytes.as_bytes()), naive);
        }
    }

    #[test]
    fn bytes_that_differ_in_one_bit_are_not_mistaken() {
        for at in 0..20 {
            for other in [0x00, b',' ^ 0x01, b',' ^ 0x80, 0xff] {
                let mut bytes = [other; 20];
                bytes[at] = b',';
                assert_eq!(find(b',', &bytes), Some(at), "among {other}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_quick_search_finds_what_the_plain_one_does(
            bytes in proptest::collection::vec(0x28_u8..0x30, 0..40),
            any_bytes in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            for bytes in [bytes, any_bytes] {
                prop_assert_eq!(find(b',', &bytes), bytes.iter().position(|byte| *byte == b','));
            }
        }

        #[test]
        fn members_are_what_stands_between_commas(list in "[a, \t\u{e9}]{0,30}") {
            let plain: Vec<_> = list.split(',').map(|member| member.trim_matches([' ', '\t'])).collect();
            prop_assert_eq!(members(&list).collect::<Vec<_>>(), plain);
        }
    }

    #[test]
    fn a_text_is_found_where_the_standard_library_finds_it() {
        let texts = ["", ":", "://", "a:b://c", ":::///", "http://a http://b", "key eyJ eyeyJ", "ä://ö"];
        for (text, needle) in texts.iter().flat_map(|text| ["://", "eyJ", ":"].map(|needle| (text, needle))) {
            for from in (0..=text.len()).filter(|from| text.is_char_boundary(*from)) {
                let expected = text[from..].find(needle).map(|at| from + at);
                assert_eq!(find_text(needle, text, from), expected, "{needle:?} in {text:?} from {from}");
            }
        }
    }
}
