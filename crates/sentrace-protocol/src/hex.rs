//! Hexadecimal digits, eight at a time: two ids are read on the path of every request.

const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Whether all eight bytes are digits, in either case.
pub(crate) const fn are_digits(word: u64) -> bool {
    let tops = each(0x80);
    // With all bytes below 0x80, adding 0x80 - n sets the top bit of those that are n or more, and carries nothing over.
    let lower = word | each(0x20);
    let decimal =
        (word & !tops).wrapping_add(each(0x80 - b'0')) & !(word & !tops).wrapping_add(each(0x80 - b':'));
    let letter =
        (lower & !tops).wrapping_add(each(0x80 - b'a')) & !(lower & !tops).wrapping_add(each(0x80 - b'g'));
    (decimal | letter) & !word & tops == tops
}

/// The four bytes that eight digits stand for.
pub(crate) const fn values(word: u64) -> [u8; 4] {
    // A letter has bit 6 set, and its low four bits are 9 less than its value.
    let nibbles = (word & each(0x0f)) + 9 * ((word >> 6) & each(0x01));
    let pairs = ((nibbles << 4) | (nibbles >> 8)) & 0x00ff_00ff_00ff_00ff;
    let [first, _, second, _, third, _, fourth, _] = pairs.to_le_bytes();
    [first, second, third, fourth]
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
                    let word = u64::from_le_bytes(digits);
                    assert_eq!(are_digits(word), byte.is_ascii_hexdigit(), "{byte:#x} at {place}");
                    if byte.is_ascii_hexdigit() {
                        let text = std::str::from_utf8(&digits).unwrap();
                        let value = u32::from_str_radix(text, 16).unwrap();
                        assert_eq!(values(word), value.to_be_bytes(), "{text}");
                    }
                }
            }
        }
    }
}
