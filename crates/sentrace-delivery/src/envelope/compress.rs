//! Compression of envelopes.

use std::fmt;
use std::io::Read as _;

use flate2::read::GzDecoder;
use flate2::{Compress, FlushCompress, Status};
use sentrace_core::{Compression, diagnostics};

/// The fastest level. Higher ones cost more than they save.
const LEVEL: flate2::Compression = flate2::Compression::fast();
const WINDOW_BITS: u8 = 15;
/// Larger than any envelope. Longer content is not decompressed.
const MAX_PLAIN_BYTES: u64 = 32 * 1024 * 1024;

/// Compresses bodies, reusing its state.
pub(crate) enum Compressor {
    Off,
    Gzip(Box<Compress>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Compressor {
    pub(crate) fn new(compression: Compression) -> Self {
        match compression {
            Compression::Off => Self::Off,
            #[cfg(feature = "zstd")]
            Compression::Zstd => zstd::bulk::Compressor::new(1).map_or_else(|_| Self::gzip(), Self::Zstd),
            _ => Self::gzip(),
        }
    }

    pub(crate) fn gzip() -> Self {
        Self::Gzip(Box::new(Compress::new_gzip(LEVEL, WINDOW_BITS)))
    }

    /// Returns the `content-encoding` of its bodies.
    pub(crate) fn content_encoding(&self) -> Option<&'static str> {
        match self {
            Self::Off => None,
            Self::Gzip(_) => Some("gzip"),
            #[cfg(feature = "zstd")]
            Self::Zstd(_) => Some("zstd"),
        }
    }

    /// Replaces the content of `compressed`. Returns `false` on failure.
    pub(crate) fn compress(&mut self, plain: &[u8], compressed: &mut Vec<u8>) -> bool {
        compressed.clear();
        match self {
            Self::Off => {
                compressed.extend_from_slice(plain);
                true
            }
            Self::Gzip(gzip) => gzip_into(gzip, plain, compressed),
            #[cfg(feature = "zstd")]
            Self::Zstd(zstd) => {
                compressed.reserve(zstd::zstd_safe::compress_bound(plain.len()));
                logged(zstd.compress_to_buffer(plain, compressed)).is_some()
            }
        }
    }

    /// Reverses [`compress`](Self::compress).
    pub(crate) fn decompress(&self, compressed: &[u8]) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        match self {
            Self::Off => plain.extend_from_slice(compressed),
            Self::Gzip(_) => {
                logged(GzDecoder::new(compressed).take(MAX_PLAIN_BYTES).read_to_end(&mut plain))?;
            }
            #[cfg(feature = "zstd")]
            Self::Zstd(_) => {
                let decoder = logged(zstd::stream::read::Decoder::with_buffer(compressed))?;
                logged(decoder.take(MAX_PLAIN_BYTES).read_to_end(&mut plain))?;
            }
        }
        Some(plain)
    }
}

fn gzip_into(gzip: &mut Compress, plain: &[u8], compressed: &mut Vec<u8>) -> bool {
    gzip.reset();
    loop {
        // Nearly always enough, because traces are repetitive.
        compressed.reserve(plain.len() / 2 + 256);
        let rest = usize::try_from(gzip.total_in()).ok().and_then(|read| plain.get(read..));
        let Some(rest) = rest else { return false };
        match logged(gzip.compress_vec(rest, compressed, FlushCompress::Finish)) {
            Some(Status::StreamEnd) => return true,
            Some(Status::Ok | Status::BufError) => {}
            None => return false,
        }
    }
}

fn logged<T, E: fmt::Display>(result: Result<T, E>) -> Option<T> {
    result.inspect_err(|error| diagnostics::debug(format_args!("an envelope was not sent: {error}"))).ok()
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Compressor").field(&self.content_encoding()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn what_is_compressed_is_read_back_however_often_and_whatever_it_is() {
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(500_000)
        .collect();
        let kinds = [
            Compressor::Off,
            Compressor::gzip(),
            #[cfg(feature = "zstd")]
            Compressor::new(Compression::Zstd),
        ];
        for mut compressor in kinds {
            let mut compressed = Vec::new();
            for plain in [&noise[..], b"", b"again and again and again", &noise[..1]] {
                assert!(compressor.compress(plain, &mut compressed), "{compressor:?}");
                assert_eq!(compressor.decompress(&compressed).as_deref(), Some(plain), "{compressor:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_text_knows_nothing_of_the_one_before(
            texts in vec(vec(select(&b"ab{\"\xff"[..]), 0..700), 1..5)
        ) {
            let mut compressor = Compressor::gzip();
            for plain in texts {
                let (mut compressed, mut alone) = (Vec::new(), Vec::new());
                prop_assert!(compressor.compress(&plain, &mut compressed));
                prop_assert!(Compressor::gzip().compress(&plain, &mut alone));
                prop_assert!(compressed == alone);
                prop_assert_eq!(compressor.decompress(&compressed), Some(plain));
            }
        }
    }

    #[test]
    fn what_is_broken_is_not_read() {
        let mut compressed = Vec::new();
        assert!(Compressor::gzip().compress(&[7; 1000], &mut compressed));
        compressed.truncate(compressed.len() / 2);
        assert_eq!(Compressor::gzip().decompress(&compressed), None);
        #[cfg(feature = "zstd")]
        assert_eq!(Compressor::new(Compression::Zstd).decompress(b"nonsense"), None);
    }
}
