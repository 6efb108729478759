//! From a URL to a connection: names, addresses, proxies, TLS.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use tokio::time::timeout;
use tower_service::Service;

use super::error::BoxError;
use super::metered::Metered;
use super::proxy::Proxy;
use super::resolver::Resolver;
use super::stream::Stream;
use super::tls::{self, Alpn, MaybeTls};

/// For all addresses that are tried, and the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Detects that the peer of a connection has vanished.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVE_RETRIES: u32 = 3;
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Opens connections within a timeout, encrypted if the URL asks for it. The client clones it for each request.
#[derive(Debug, Clone)]
pub(super) struct Connector(Arc<tls::Connector<Route>>);

/// Connects to the host of a URL, through a proxy if there is one.
#[derive(Debug, Clone)]
struct Route {
    tcp: HttpConnector<Resolver>,
    proxy: Option<(Proxy, tls::Connector<HttpConnector<Resolver>>)>,
}

impl Connector {
    pub(super) fn new(tls: &tls::Config, alpn: Alpn, proxy: Option<Proxy>) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver::default());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_keepalive(Some(KEEP_ALIVE));
        tcp.set_keepalive_interval(Some(KEEP_ALIVE));
        tcp.set_keepalive_retries(Some(KEEP_ALIVE_RETRIES));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        // Requests to proxies use HTTP/1.1.
        let proxy = proxy.map(|proxy| (proxy, tls::connector(tcp.clone(), tls, Alpn::None)));
        Self(Arc::new(tls::connector(Route { tcp, proxy }, tls, alpn)))
    }
}

impl Service<Uri> for Connector {
    type Response = Metered<MaybeTls<Stream>>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let mut connector: tls::Connector<Route> = (*self.0).clone();
        let connecting = connector.call(uri);
        Box::pin(async move {
            match timeout(CONNECT_TIMEOUT, connecting).await {
                Ok(connected) => Ok(Metered::new(connected?)),
                Err(_) => Err(format!("connecting takes longer than {CONNECT_TIMEOUT:?}").into()),
            }
        })
    }
}

impl Service<Uri> for Route {
    type Response = Stream;
    type Error = BoxError;
    type Future = Connecting<Stream>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { mut tcp, proxy } = self.clone();
        Box::pin(async move {
            let (next, is_proxied) = match proxy {
                None => (tls::plain(tcp.call(uri).await?), false),
                Some((proxy, _)) if !proxy.is_http() => {
                    return Err("proxies of the environment have to be `http://` or `https://` ones".into());
                }
                Some((proxy, to_proxy)) if uri.scheme() == Some(&Scheme::HTTPS) => {
                    let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
                    if let Some(auth) = proxy.auth() {
                        tunnel = tunnel.with_auth(auth.clone());
                    }
                    (tunnel.call(uri).await?, false)
                }
                Some((proxy, mut to_proxy)) => (to_proxy.call(proxy.uri().clone()).await?, true),
            };
            Ok(Stream { next, is_proxied })
        })
    }
}
