//! A small gzip: for texts of a few kilobytes that repeat themselves, thousands of times over in the same memory.
//!
//! Compressors for all purposes clear tables of some 100 KiB before each text, which costs more than such a text does
//! (docs/adr/0024). This one has a table of 16 KiB, and never clears it.

mod bits;
mod codes;

use flate2::Crc;

use self::bits::Bits;
use self::codes::{END_OF_BLOCK, LENGTHS, LITERALS, distance};

/// RFC 1952: deflate, no name, no time, made fast, on no system in particular.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
/// How far back a repetition may be (RFC 1951).
const WINDOW: usize = 32 * 1024;
const SHORTEST: usize = 4;
const LONGEST: usize = 258;
const SLOTS_LOG2: u32 = 12;

/// Compresses one text after the other.
#[derive(Debug)]
pub(crate) struct Gzip {
    /// Where four bytes were seen last, by their hash, counted from before the first text of all.
    seen_at: Vec<u32>,
    /// Where the next text begins by that count. What was seen before it is of another text.
    begin: u32,
}

impl Default for Gzip {
    fn default() -> Self {
        Self { seen_at: vec![0; 1 << SLOTS_LOG2], begin: 1 }
    }
}

impl Gzip {
    /// Appends the compressed `plain`; whether that could be done, which takes less than 4 GiB.
    pub(crate) fn compress(&mut self, plain: &[u8], compressed: &mut Vec<u8>) -> bool {
        let Ok(length) = u32::try_from(plain.len()) else { return false };
        let Some(begin) = self.begin_text(length) else { return false };
        compressed.extend_from_slice(&HEADER);
        let mut bits = Bits::new(compressed);
        self.write_block(plain, begin, &mut bits);
        bits.finish();
        let mut crc = Crc::new();
        crc.update(plain);
        compressed.extend_from_slice(&crc.sum().to_le_bytes());
        compressed.extend_from_slice(&length.to_le_bytes());
        true
    }

    fn begin_text(&mut self, length: u32) -> Option<u32> {
        if self.begin.checked_add(length).is_none() {
            *self = Self::default();
        }
        let begin = self.begin;
        self.begin = begin.checked_add(length)?;
        Some(begin)
    }

    /// One block with the fixed codes (RFC 1951, section 3.2.6).
    fn write_block(&mut self, plain: &[u8], begin: u32, bits: &mut Bits<'_>) {
        bits.last_block_with_fixed_codes();
        let mut at = 0;
        while let Some(word) = word_at(plain, at) {
            let earlier = self.see(word, begin, at);
            match earlier.filter(|earlier| at - earlier <= WINDOW && word_at(plain, *earlier) == Some(word)) {
                Some(earlier) => {
                    let length = SHORTEST + common(plain, earlier + SHORTEST, at + SHORTEST);
                    bits.put(LENGTHS[(length - 3) & 0xff]);
                    bits.put(distance(at - earlier));
                    at += length;
                    // What repeats itself again does so from where it began, or from where it went on.
                    if let Some(word) = word_at(plain, at - 2) {
                        self.see(word, begin, at - 2);
                    }
                }
                None => {
                    bits.put(LITERALS[usize::from(plain[at])]);
                    at += 1;
                }
            }
        }
        for byte in plain.get(at..).unwrap_or_default() {
            bits.put(LITERALS[usize::from(*byte)]);
        }
        bits.put(END_OF_BLOCK);
    }

    /// Notes that `word` stands at `at`; where it did earlier in the same text, if nothing else has taken its place.
    fn see(&mut self, word: u32, begin: u32, at: usize) -> Option<usize> {
        let slot = word.wrapping_mul(0x9e37_79b1) >> (u32::BITS - SLOTS_LOG2);
        let earlier = std::mem::replace(&mut self.seen_at[slot as usize], begin + at as u32);
        earlier.checked_sub(begin).map(|earlier| earlier as usize)
    }
}

fn word_at(plain: &[u8], at: usize) -> Option<u32> {
    plain.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// How many bytes are the same from there and from here on.
fn common(plain: &[u8], earlier: usize, at: usize) -> usize {
    let here = plain.get(at..).unwrap_or_default();
    let here = &here[..here.len().min(LONGEST - SHORTEST)];
    let there = &plain[earlier..];
    let mut same = 0;
    for (here, there) in here.chunks_exact(8).zip(there.chunks_exact(8)) {
        let differ = u64_of(here) ^ u64_of(there);
        if differ != 0 {
            return same + (differ.trailing_zeros() / 8) as usize;
        }
        same += 8;
    }
    same + here[same..].iter().zip(&there[same..]).take_while(|(here, there)| here == there).count()
}

fn u64_of(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use flate2::read::GzDecoder;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn round_trip(gzip: &mut Gzip, plain: &[u8]) -> usize {
        let (mut compressed, mut read) = (Vec::new(), Vec::new());
        assert!(gzip.compress(plain, &mut compressed));
        GzDecoder::new(&compressed[..]).read_to_end(&mut read).unwrap();
        assert!(read == plain, "{} bytes", plain.len());
        compressed.len()
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn every_length_and_distance_is_read_back() {
        let mut gzip = Gzip::default();
        for length in 0..600 {
            round_trip(&mut gzip, &vec![7; length]);
        }
        let noise = noise(WINDOW + 600);
        for distance in (4..300).chain((300..WINDOW + 300).step_by(97)).chain(WINDOW - 2..WINDOW + 3) {
            let mut plain = noise[..distance].to_vec();
            plain.extend_from_slice(&noise[..300]);
            round_trip(&mut gzip, &plain);
        }
    }

    #[test]
    fn a_text_knows_nothing_of_the_one_before() {
        let mut gzip = Gzip::default();
        let first = round_trip(&mut gzip, b"say it again, say it again, say it again");
        assert_eq!(round_trip(&mut gzip, b"say it again, say it again, say it again"), first);
        round_trip(&mut gzip, b"it again");
        // Where the count is at its end, it begins anew.
        gzip.begin = u32::MAX - 20;
        assert_eq!(round_trip(&mut gzip, b"say it again, say it again, say it again"), first);
        assert!(gzip.begin < 100);
    }

    #[test]
    fn json_is_as_short_as_the_fastest_level_of_zlib_and_noise_hardly_longer_than_before() {
        let span = |number| {
            format!(
                r#"{{"span_id":"{number:016x}","op":"db.query","description":"SELECT price FROM cart","data":{{"row":{number}}}}},"#
            )
        };
        let json: String =
            (0..10_u64).map(|number| span(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        let mut of_zlib = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        of_zlib.write_all(json.as_bytes()).unwrap();
        let of_zlib = of_zlib.finish().unwrap().len();
        let compressed = round_trip(&mut Gzip::default(), json.as_bytes());
        assert!(compressed < of_zlib * 21 / 20, "{compressed} beside {of_zlib} of {}", json.len());
        let noise = noise(10_000);
        let compressed = round_trip(&mut Gzip::default(), &noise);
        assert!(compressed < noise.len() * 9 / 8 + 30, "{compressed} of {}", noise.len());
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_is_read_back(
            texts in prop::collection::vec(prop::collection::vec(prop::sample::select(&b"ab{\"\xff"[..]), 0..700), 1..5)
        ) {
            let mut gzip = Gzip::default();
            for text in texts {
                round_trip(&mut gzip, &text);
            }
        }
    }
}
