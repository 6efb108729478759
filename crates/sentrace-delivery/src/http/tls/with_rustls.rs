//! TLS by rustls, with the certificates that the system and the options trust.

use std::error::Error;
use std::sync::Arc;

use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::Alpn;
use crate::StartError;
use crate::error::OnMachine;

/// The configuration of TLS.
pub(crate) type Config = ClientConfig;
/// Opens connections that are encrypted if the URL asks for it.
pub(crate) type Connector<C> = HttpsConnector<C>;
/// A connection that may be encrypted.
pub(crate) type MaybeTls<T> = MaybeHttpsStream<T>;

/// Chooses the cryptography explicitly, so that the process-wide default is neither needed nor changed.
fn provider() -> CryptoProvider {
    #[cfg(feature = "aws-lc")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc"))]
    return rustls::crypto::ring::default_provider();
}

/// Adds TLS to the connections of `inner`.
pub(crate) fn connector<C>(inner: C, config: &Config, alpn: Alpn) -> Connector<C> {
    let mut config = config.clone();
    config.alpn_protocols = match alpn {
        Alpn::None => Vec::new(),
        Alpn::Either => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Alpn::Http2 => vec![b"h2".to_vec()],
    };
    HttpsConnector::from((inner, config))
}

/// Returns a connection that is not encrypted.
pub(crate) fn plain<T>(stream: T) -> MaybeTls<T> {
    MaybeHttpsStream::Http(stream)
}

/// Returns the configuration for one target. Without `https`, no certificates are read, so a machine without any can still
/// report to a local collector. With `https` on such a machine and [`OnMachine::Degrade`], nothing is trusted, and each post
/// fails like a network error.
pub(crate) fn config(https: bool, authorities: &[u8], on_machine: OnMachine) -> Result<Config, StartError> {
    let provider = Arc::new(provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| StartError::new("TLS cannot be set up", error))?;
    let authorities = read(authorities)?;
    let verifier = if https {
        let of_system = authorities.is_empty();
        match Verifier::new_with_extra_roots(authorities, provider) {
            Ok(verifier) => Some(verifier),
            Err(error) if !of_system => return Err(StartError::new(NO_AUTHORITY, error)),
            Err(error) => {
                on_machine.handle(StartError::of_machine(NO_CERTIFICATES, error), NOBODY_TRUSTED)?;
                None
            }
        }
    } else {
        None
    };
    Ok(match verifier {
        Some(verifier) => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
        None => builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
    })
}

/// Returns what to do about a certificate that was rejected, or `None` if `error` has another cause.
pub(crate) fn remedy(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let refused = refused(error)?;
    Some(match refused {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "renew the certificate of the ingest, or correct the clock of this machine"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "use the host in the DSN that the ingest's certificate is made for, or have the certificate made for that host"
        }
        CertificateError::Revoked => "give the ingest a new certificate: this one was revoked",
        _ => {
            "trust the authority that issued the ingest's certificate: install it on this machine (`ca-certificates`), name a \
             file with it in SSL_CERT_FILE, or set the option ca_certificates"
        }
    })
}

fn refused<'a>(mut error: &'a (dyn Error + 'static)) -> Option<&'a CertificateError> {
    loop {
        if let Some(rustls::Error::InvalidCertificate(refused)) = error.downcast_ref() {
            return Some(refused);
        }
        // An I/O error does not return its inner error as its source.
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        error = match carried {
            Some(carried) => carried,
            None => error.source()?,
        };
    }
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

const NOBODY_TRUSTED: &str = "until then every post fails, as if the network were down";

const NO_AUTHORITY: &str = "option ca_certificates: give the certificates of authorities in PEM";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_that_are_none_are_told() {
        for pem in ["nonsense", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let error = config(true, pem.as_bytes(), OnMachine::Fail).unwrap_err().to_string();
            assert!(error.contains("option ca_certificates"), "{error}");
        }
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let error = config(true, empty.as_bytes(), OnMachine::Fail).unwrap_err().to_string();
        assert!(error.contains("option ca_certificates"), "{error}");
    }
}
