//! Hexadecimal digits: two ids are read on the path of every request, and two written for every call.
//!
//! Without a branch in the loops, so that the compiler turns them into vector instructions.

/// The bytes that the digits stand for, two for each byte, in either case; `None` where one is no digit.
///
/// Inlined, its vectors would be mixed with what becomes of the bytes.
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

/// The lower-case digits of the bytes, two for each.
#[inline]
pub(crate) fn encode<const BYTES: usize, const DIGITS: usize>(bytes: [u8; BYTES]) -> [u8; DIGITS] {
    const { assert!(DIGITS == 2 * BYTES) };
    // Letters stand so far behind the decimals.
    let digit = |value: u8| value + b'0' + u8::from(value > 9) * (b'a' - b'0' - 10);
    let mut digits = [0; DIGITS];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
    digits
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

    #[test]
    fn every_byte_is_written_as_the_standard_library_does() {
        for byte in 0..=u8::MAX {
            let digits: [u8; 8] = encode([byte, 0x0a, 0xf9, byte]);
            assert_eq!(digits, format!("{byte:02x}0af9{byte:02x}").as_bytes());
        }
    }
}
