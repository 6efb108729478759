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

use super::Proxy;
use super::error::BoxError;
use super::metered::Metered;
use super::resolver::Resolver;
use super::stream::Stream;
use crate::tls::{self, Ask, MaybeTls};

/// Until TLS is agreed upon, with all addresses that are tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection whose other side has vanished is noticed after about so long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVE_RETRIES: u32 = 3;
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Opens connections in time, encrypted where the URL says so. The client copies it for each request.
#[derive(Debug, Clone)]
pub(super) struct Connector(Arc<tls::Connector<Way>>);

/// To the host of a URL, through a proxy where there is one.
#[derive(Debug, Clone)]
struct Way {
    tcp: HttpConnector<Resolver>,
    proxy: Option<(Proxy, tls::Connector<HttpConnector<Resolver>>)>,
}

impl Connector {
    pub(super) fn new(tls: &tls::Config, ask: Ask, proxy: Option<Proxy>) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver::default());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_keepalive(Some(KEEP_ALIVE));
        tcp.set_keepalive_interval(Some(KEEP_ALIVE));
        tcp.set_keepalive_retries(Some(KEEP_ALIVE_RETRIES));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        // Proxies are spoken to in HTTP/1.1.
        let proxy = proxy.map(|proxy| (proxy, tls::connector(tcp.clone(), tls, Ask::Nothing)));
        Self(Arc::new(tls::connector(Way { tcp, proxy }, tls, ask)))
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
        let mut connector: tls::Connector<Way> = (*self.0).clone();
        let connecting = connector.call(uri);
        Box::pin(async move {
            match timeout(CONNECT_TIMEOUT, connecting).await {
                Ok(connected) => Ok(Metered::new(connected?)),
                Err(_) => Err(format!("it takes longer than {CONNECT_TIMEOUT:?}").into()),
            }
        })
    }
}

impl Service<Uri> for Way {
    type Response = Stream;
    type Error = BoxError;
    type Future = Connecting<Stream>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { mut tcp, proxy } = self.clone();
        Box::pin(async move {
            let (next, tells_proxy) = match proxy {
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
            Ok(Stream { next, tells_proxy })
        })
    }
}
