//! An ingest for HTTP/1.1 and HTTP/2, with and without TLS, which checks only that what comes is
//! compressed.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Collected, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The server, with a runtime of its own; it ends with the process.
#[derive(Debug)]
pub struct Http2Server {
    /// Its address.
    pub address: SocketAddr,
    /// The certificate of the authority that signed its own, as PEM; empty without TLS.
    pub authority: String,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Mutex<Vec<Version>>,
    connections: AtomicUsize,
}

impl Http2Server {
    /// Starts without TLS, for HTTP/1.1 and HTTP/2. Answers after `delay`.
    pub fn plain(delay: Duration) -> Self {
        Self::start(None, String::new(), delay, usize::MAX)
    }

    /// Starts without TLS. Each connection shuts down gracefully after so many requests.
    pub fn plain_going_after(requests: usize) -> Self {
        Self::start(None, String::new(), Duration::from_millis(5), requests)
    }

    /// Starts with TLS by an authority of its own, offering these protocols.
    pub fn secure(protocols: &[&str]) -> Self {
        Self::secure_going_after(protocols, usize::MAX)
    }

    /// Starts with TLS. Each connection shuts down gracefully after so many requests.
    pub fn secure_going_after(protocols: &[&str], requests: usize) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "ingest.invalid".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self::start(Some(TlsAcceptor::from(Arc::new(config))), authority, Duration::ZERO, requests)
    }

    fn start(tls: Option<TlsAcceptor>, authority: String, delay: Duration, requests: usize) -> Self {
        let seen = Arc::new(Seen::default());
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        std::thread::spawn({
            let seen = Arc::clone(&seen);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(accept(listener, tls, seen, delay, requests));
            }
        });
        Self { address, authority, seen }
    }

    /// Returns the HTTP versions of all requests.
    pub fn versions(&self) -> Vec<Version> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }
}

async fn accept(
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    seen: Arc<Seen>,
    delay: Duration,
    requests: usize,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let (tls, seen) = (tls.clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            match tls {
                Some(tls) => {
                    // A client that does not trust the certificate goes away here.
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, seen, delay, requests).await;
                    }
                }
                None => serve(stream, seen, delay, requests).await,
            }
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    seen: Arc<Seen>,
    delay: Duration,
    requests: usize,
) {
    let (going, taken) = (Arc::new(Notify::new()), Arc::<AtomicUsize>::default());
    let goes = Arc::clone(&going);
    let service = service_fn(move |request: Request<Incoming>| {
        let seen = Arc::clone(&seen);
        if taken.fetch_add(1, Ordering::SeqCst) + 1 == requests {
            going.notify_one();
        }
        async move {
            let version = request.version();
            let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
            tokio::time::sleep(delay).await;
            assert!(body.starts_with(&[0x1f, 0x8b]), "gzip");
            seen.requests.lock().unwrap().push(version);
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(250);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // A connection that breaks is the client's affair.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = goes.notified() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
