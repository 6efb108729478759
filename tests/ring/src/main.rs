//! Fails if sentrace brings a second provider into this program's rustls, or needs the one of the process itself.

use std::time::Duration;

use sentrace::Options;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Of an ingest that nobody listens at: TLS is set up, and nothing is waited for.
    let options = Options::new().dsn("https://key@localhost:1/1").traces_sample_rate(1.0).retry_timeout(Duration::ZERO);
    let client = sentrace::client(options.strict(true).ca_certificates(AUTHORITY))?;
    // This panics if rustls cannot choose: with two providers, or with none.
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    assert!(!config.crypto_provider().cipher_suites.is_empty());
    client.start_transaction("work", "task").finish();
    let closed = client.close(Duration::from_secs(5));
    assert!(!closed.complete && !closed.unreported.is_empty(), "{closed:?}");
    println!("ring alone: fine");
    Ok(())
}

/// So that it runs on a machine without certificates.
const AUTHORITY: &str = include_str!("authority.pem");
