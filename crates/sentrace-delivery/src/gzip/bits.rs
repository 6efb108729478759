//! Bits into bytes, the lowest first (RFC 1951, section 3.1.1).

use super::codes::Code;

/// Appends codes to `out`.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    out: &'a mut Vec<u8>,
    waiting: u64,
    /// Less than 32 of them between codes.
    length: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, waiting: 0, length: 0 }
    }

    pub(super) fn last_block_with_fixed_codes(&mut self) {
        self.put(Code { bits: 0b011, length: 3 });
    }

    /// Codes have 32 bits at most.
    #[inline]
    pub(super) fn put(&mut self, code: Code) {
        self.waiting |= u64::from(code.bits) << self.length;
        self.length += code.length;
        if self.length >= u32::BITS {
            self.out.extend_from_slice(&(self.waiting as u32).to_le_bytes());
            self.waiting >>= u32::BITS;
            self.length -= u32::BITS;
        }
    }

    /// Fills the last byte up.
    pub(super) fn finish(self) {
        let bytes = self.length.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.waiting.to_le_bytes()[..bytes]);
    }
}
