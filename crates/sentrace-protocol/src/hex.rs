//! Hexadecimal digits: two ids are read on the path of every request.

/// The bytes that the digits stand for, two for each byte, in either case; `None` where one is no digit.
///
/// Without a branch in its loops, so that the compiler turns them into vector instructions; inlined, it would mix these
/// with what becomes of the bytes.
#[inline(never)]
pub(crate) fn decode<const DIGITS: usize, const BYTES: usize>(digits: &[u8; DIGITS]) -> Option<[u8; BYTES]> {
    const { assert!(DIGITS == 2 * BYTES) };
    let mut values = [0; DIGITS];
    let mut others = false;
    for (value, digit) in values.iter_mut().zip(digits) {
        let is_decimal = digit.wrapping_sub(b'0') < 10;
        let is_letter = (digit | 0x20).wrapping_sub(b'a') < 6;
        others |= !(is_decimal | is_letter);
        // A letter has bit 6 set, and its low four bits are 9 less than its value.
        *value = (digit & 0x0f) + 9 * (digit >> 6);
    }
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(values.as_chunks::<2>().0) {
        let pair = u16::from_le_bytes(*pair);
        *byte = ((pair << 4) | (pair >> 8)) as u8;
    }
    (!others).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_in_every_place_is_judged_as_the_standard_library_does() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                for filler in [b'0', b'F'] {
                    let mut digits = [filler; 8];
                    digits[place] = byte;
                    let text = std::str::from_utf8(&digits).ok().filter(|_| byte.is_ascii_hexdigit());
                    let expected = text.map(|text| u32::from_str_radix(text, 16).unwrap().to_be_bytes());
                    assert_eq!(decode(&digits), expected, "{byte:#x} at {place}");
                }
            }
        }
    }
}
