//! How bodies are compressed.

use sentrace_core::Compression;

use crate::support::{Ingest, LONG, Reply, Tally, client_with, counted, record_many};

#[test]
fn the_ingest_is_told_how_a_body_is_compressed_and_can_read_it() {
    let rows = [
        (Compression::Gzip, Some("gzip"), 1_650),
        (Compression::Off, None, 6_000),
        #[cfg(feature = "zstd")]
        (Compression::Zstd, Some("zstd"), 1_650),
    ];
    for (compression, encoding, most) in rows {
        // Broken off at first: what is sent again is compressed again.
        let ingest = Ingest::start(|number| if number < 2 { Reply::Close } else { Reply::ok() });
        let (client, losses) =
            client_with(&ingest.dsn(), |options| options.compression(compression).retry_timeout(LONG));
        let recorded = record_many(&client, 20, 10);
        assert!(client.flush(LONG), "{compression:?}");
        assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()), "{compression:?}");
        for request in ingest.received() {
            assert_eq!(request.header("content-encoding"), encoding, "{compression:?}");
            assert!(request.body_bytes <= most, "{compression:?}: {} bytes", request.body_bytes);
        }
    }
}
