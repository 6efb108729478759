//! TLS towards the ingest: rustls, with the certificates that the system trusts.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::StartError;

/// How to speak TLS; the cryptography is chosen here, so that nobody's process-wide choice is needed or changed.
///
/// Without `https` nothing is trusted and nothing is read from the system: a machine without certificates can still
/// report to a local collector.
pub(crate) fn config(https: bool) -> Result<ClientConfig, StartError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StartError::new("TLS cannot be set up", error))?;
    let mut config = if https {
        builder
            .with_platform_verifier()
            .map_err(|error| StartError::new(NO_CERTIFICATES, error))?
            .with_no_client_auth()
    } else {
        builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

const NO_CERTIFICATES: &str = "the DSN's scheme `https` needs the system's trusted certificates: install them \
    (`ca-certificates`), or name a file of them in SSL_CERT_FILE";
