//! From a URL to a connection: names, addresses, proxies, TLS.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::Proxy;
use super::error::{BoxError, Error};

/// Until TLS is agreed upon, with all addresses that are tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection whose other side has vanished is noticed after about so long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVE_RETRIES: u32 = 3;
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Bytes to and from the other side.
pub(super) trait Stream: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Stream for T {}

/// Opens connections, through a proxy where there is one.
#[derive(Debug)]
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: Arc<ClientConfig>,
    proxy: Option<(Proxy, ToProxy)>,
}

/// A connection that is open.
pub(super) struct Opened {
    pub(super) stream: Box<dyn Stream>,
    /// Whether the other side chose HTTP/2.
    pub(super) http2: bool,
}

impl Connector {
    pub(super) fn new(tls: ClientConfig, proxy: Option<Proxy>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_keepalive(Some(KEEP_ALIVE));
        tcp.set_keepalive_interval(Some(KEEP_ALIVE));
        tcp.set_keepalive_retries(Some(KEEP_ALIVE_RETRIES));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        // Proxies are spoken to in HTTP/1.1.
        let mut tls_to_proxy = tls.clone();
        tls_to_proxy.alpn_protocols.clear();
        let to_proxy = ToProxy { tcp: tcp.clone(), tls: Arc::new(tls_to_proxy) };
        Self { tcp, tls: Arc::new(tls), proxy: proxy.map(|proxy| (proxy, to_proxy)) }
    }

    /// Connects to the host of `uri`.
    pub(super) async fn open(&self, uri: &Uri) -> Result<Opened, Error> {
        match timeout(CONNECT_TIMEOUT, self.connect(uri)).await {
            Ok(opened) => opened.map_err(Error::Connect),
            Err(_) => Err(Error::Connect(format!("it takes longer than {CONNECT_TIMEOUT:?}").into())),
        }
    }

    async fn connect(&self, uri: &Uri) -> Result<Opened, BoxError> {
        let encrypts = is_https(uri);
        let stream = match &self.proxy {
            None => Box::new(self.tcp.clone().call(uri.clone()).await?),
            Some((proxy, _)) if !proxy.is_http() => {
                return Err("proxies of the environment have to be `http://` or `https://` ones".into());
            }
            Some((proxy, to_proxy)) if encrypts => {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy.clone());
                if let Some(auth) = proxy.auth() {
                    tunnel = tunnel.with_auth(auth.clone());
                }
                tunnel.call(uri.clone()).await?
            }
            Some((proxy, to_proxy)) => to_proxy.clone().call(proxy.uri().clone()).await?,
        };
        if encrypts { encrypt(&self.tls, uri, stream).await } else { Ok(Opened { stream, http2: false }) }
    }
}

/// Connects to a proxy, which may want TLS itself.
#[derive(Debug, Clone)]
struct ToProxy {
    tcp: HttpConnector,
    tls: Arc<ClientConfig>,
}

impl Service<Uri> for ToProxy {
    type Response = Box<dyn Stream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(BoxError::from)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, tls) = (self.tcp.call(uri.clone()), Arc::clone(&self.tls));
        Box::pin(async move {
            let stream: Box<dyn Stream> = Box::new(connecting.await?);
            if is_https(&uri) { Ok(encrypt(&tls, &uri, stream).await?.stream) } else { Ok(stream) }
        })
    }
}

async fn encrypt(tls: &Arc<ClientConfig>, uri: &Uri, stream: Box<dyn Stream>) -> Result<Opened, BoxError> {
    let host = uri.host().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let name = ServerName::try_from(host)?.to_owned();
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, TokioIo::new(stream)).await?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Ok(Opened { stream: Box::new(TokioIo::new(stream)), http2 })
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}
