//! TLS towards the ingest: rustls, with the certificates that the system trusts, and those of the options.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::StartError;

/// How to speak TLS; the cryptography is chosen here, so that nobody's process-wide choice is needed or changed.
///
/// Without `https` nothing is trusted and nothing is read from the system: a machine without certificates can still
/// report to a local collector.
pub(crate) fn config(https: bool, authorities: &[u8]) -> Result<ClientConfig, StartError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| StartError::new("TLS cannot be set up", error))?;
    let authorities = read(authorities)?;
    let mut config = if https {
        let explanation = if authorities.is_empty() { NO_CERTIFICATES } else { NO_AUTHORITY };
        let verifier = Verifier::new_with_extra_roots(authorities, provider)
            .map_err(|error| StartError::new(explanation, error))?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
    } else {
        builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn read(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, StartError> {
    if pem.is_empty() {
        return Ok(Vec::new());
    }
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let authorities = read.map_err(|error| StartError::new(NO_AUTHORITY, format!("{error:?}")))?;
    if authorities.is_empty() {
        return Err(StartError::new(NO_AUTHORITY, "there is no `BEGIN CERTIFICATE` in it"));
    }
    Ok(authorities)
}

const NO_CERTIFICATES: &str = "the DSN's scheme `https` needs the system's trusted certificates: install them \
    (`ca-certificates`), name a file of them in SSL_CERT_FILE, or set the option ca_certificates";

const NO_AUTHORITY: &str = "option ca_certificates: give the certificates of authorities in PEM";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_that_are_none_are_told() {
        for pem in ["nonsense", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let error = config(true, pem.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("option ca_certificates"), "{error}");
        }
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let error = config(true, empty.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("option ca_certificates"), "{error}");
    }
}
