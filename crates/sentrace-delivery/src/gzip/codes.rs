//! The fixed codes of RFC 1951 (sections 3.2.5 and 3.2.6), with their extra bits.

/// Bits as they are written, the first one lowest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code {
    pub(super) bits: u32,
    pub(super) length: u32,
}

pub(super) const END_OF_BLOCK: Code = symbol(256);

/// By byte.
pub(super) static LITERALS: [Code; 256] = literals();

/// By length less 3.
pub(super) static LENGTHS: [Code; 256] = lengths();

/// Symbols from 265 on stand for several lengths; each four of them have one extra bit more.
const FIRST_WITH_EXTRA: u32 = 265;

/// The code of a distance from 1 to 32,768.
pub(super) fn distance(distance: usize) -> Code {
    let rest = (distance as u32).wrapping_sub(1);
    // Two symbols for each power of two; what is below its two upper bits is extra.
    let extra = rest.checked_ilog2().unwrap_or(0).saturating_sub(1);
    let symbol = 2 * extra + (rest >> extra);
    with_extra(reversed(symbol, 5), rest & ((1 << extra) - 1), extra)
}

/// Literals, the end of a block, and lengths.
const fn symbol(symbol: u32) -> Code {
    match symbol {
        0..144 => reversed(0x30 + symbol, 8),
        144..256 => reversed(0x190 + symbol - 144, 9),
        256..280 => reversed(symbol - 256, 7),
        _ => reversed(0xc0 + symbol - 280, 8),
    }
}

/// Huffman codes are written from their highest bit on.
const fn reversed(bits: u32, length: u32) -> Code {
    Code { bits: bits.reverse_bits() >> (u32::BITS - length), length }
}

const fn with_extra(code: Code, bits: u32, length: u32) -> Code {
    Code { bits: code.bits | bits << code.length, length: code.length + length }
}

const fn literals() -> [Code; 256] {
    let mut codes = [END_OF_BLOCK; 256];
    let mut byte = 0;
    while byte < 256 {
        codes[byte as usize] = symbol(byte);
        byte += 1;
    }
    codes
}

const fn lengths() -> [Code; 256] {
    let mut codes = [END_OF_BLOCK; 256];
    let mut rest = 0;
    while rest < 255 {
        codes[rest as usize] = if rest < 8 {
            symbol(257 + rest)
        } else {
            // Four symbols for each power of two.
            let extra = rest.ilog2() - 2;
            let number = FIRST_WITH_EXTRA + 4 * (extra - 1) + ((rest >> extra) - 4);
            with_extra(symbol(number), rest & ((1 << extra) - 1), extra)
        };
        rest += 1;
    }
    // The longest has a symbol of its own.
    codes[255] = symbol(285);
    codes
}
