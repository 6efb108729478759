//! Where trace headers may go: no client connects elsewhere than to an allowed host, and no spelling of an allowed host is
//! refused to a client that normalises it.

use std::net::IpAddr;
use std::sync::LazyLock;

use http::{Request, Uri};
use sentrace_core::{Client, Options, Origin, inject};
use url::{Host, Url};

/// What is allowed in each run, and what an address and a name in another script are in their own form.
const ORIGINS: [&str; 5] = ["inside.test", "127.0.0.1", "[::1]", "xn--bcher-kva.example", "ported.test:8080"];
const INGEST: &str = "ingest.test";

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let options = Options::new().dsn(format!("https://key@{INGEST}/1"));
    let origins = ORIGINS.into_iter().chain([INGEST]).map(Origin::host);
    Client::without_delivery(options.tracing_origins(origins)).expect("these options are valid")
});

/// Reads the first line as a URL, as an authority and as a `Host` header, and the others as origins.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let url = lines.next().unwrap_or_default();
    let urls = [url.to_owned(), format!("http://{url}"), format!("https://{url}")];
    let origins: Vec<Place> = ORIGINS.iter().filter_map(|origin| Place::of_origin(origin)).collect();
    assert_eq!(origins.len(), ORIGINS.len());
    for origin in lines.take(3) {
        check_origin(origin, &urls);
    }
    for url in &urls {
        check_allowlist(url, &origins);
        check_reqwest(url, &origins);
    }
    check_host_header(url, &origins);
}

/// Where a client connects to.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    host: Option<Host<String>>,
    /// As it is written, in lower case: for hosts that only resolvers understand.
    name: String,
    port: Option<u16>,
}

impl Place {
    fn new(host: &str, port: Option<u16>) -> Self {
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let host = match Host::parse(&name) {
            Ok(Host::Ipv6(address)) => match address.to_canonical() {
                IpAddr::V4(address) => Some(Host::Ipv4(address)),
                IpAddr::V6(address) => Some(Host::Ipv6(address)),
            },
            other => other.ok(),
        };
        Self { host, name, port }
    }

    /// hyper and tonic.
    fn of_uri(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let scheme_port = default_port(uri.scheme_str()?)?;
        Some(Self::new(uri.host()?, Some(uri.port_u16().unwrap_or(scheme_port))))
    }

    /// reqwest.
    fn of_url(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok().filter(|url| default_port(url.scheme()).is_some())?;
        Some(Self::new(url.host_str()?, url.port_or_known_default()))
    }

    /// What a plain host, or one with a port, says.
    fn of_origin(origin: &str) -> Option<Self> {
        let url = Url::parse(&format!("ws://{origin}/")).ok()?;
        let has_port =
            origin.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.contains(']'));
        Some(Self::new(url.host_str()?, url.port_or_known_default().filter(|_| has_port)))
    }

    /// Whether a rule for this place allows the other one.
    fn contains(&self, other: &Self) -> bool {
        let same_host = match (&self.host, &other.host) {
            (Some(Host::Domain(name)), Some(Host::Domain(other))) => is_within(other, name),
            (Some(Host::Domain(name)), None) => is_within(&other.name, name),
            (ours, theirs) => ours.is_some() && ours == theirs,
        };
        same_host && (self.port.is_none() || self.port == other.port)
    }

    fn is_ingest(&self) -> bool {
        self.host == Some(Host::Domain(INGEST.to_owned())) && matches!(self.port, Some(80 | 443))
    }
}

fn is_within(host: &str, name: &str) -> bool {
    host == name || host.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Whoever connects with the URL, connects to an allowed host.
fn check_allowlist(url: &str, origins: &[Place]) {
    let outgoing = CLIENT.propagation_targets();
    let allows = outgoing.allows(url);
    assert!(!(allows && outgoing.is_dsn_host(url)));
    for place in [Place::of_uri(url), Place::of_url(url)].into_iter().flatten() {
        assert!(!allows || is_allowed(&place, origins), "{url:?} goes to {place:?}");
        assert!(!(allows && place.is_ingest()), "{url:?} goes to the ingest");
        if outgoing.is_dsn_host(url) {
            assert!(place.is_ingest(), "{url:?} goes to {place:?}");
        }
    }
    if allows {
        for everywhere in [Origin::contains("://"), Origin::regex("^[a-z0-9+.-]+://").expect("a pattern")] {
            assert!(everywhere.matches(url), "{url:?} is absolute");
        }
    }
}

/// reqwest writes a URL in its own form, and that is allowed exactly if its host is.
fn check_reqwest(url: &str, origins: &[Place]) {
    let Some(place) = Place::of_url(url) else { return };
    let Ok(url) = Url::parse(url) else { return };
    // It has to be a `http::Uri`, too, before it can be sent.
    if place.name.ends_with('.') || Place::of_uri(url.as_str()).is_none() {
        return;
    }
    let outgoing = CLIENT.propagation_targets();
    assert_eq!(outgoing.is_dsn_host(url.as_str()), place.is_ingest(), "{url}");
    assert_eq!(outgoing.allows(url.as_str()), is_allowed(&place, origins) && !place.is_ingest(), "{url}");
}

fn is_allowed(place: &Place, origins: &[Place]) -> bool {
    let ingest = Place::new(INGEST, None);
    origins.iter().chain([&ingest]).any(|origin| origin.contains(place))
}

/// An origin that is accepted matches what its text says, and nothing else.
fn check_origin(text: &str, urls: &[String]) {
    let origin = Origin::host(text);
    let valid = origin.clone().validated();
    for url in urls {
        let matches = origin.matches(url);
        assert!(!matches || valid.is_ok(), "{text:?} is invalid and matches {url:?}");
        let plain = text.trim();
        let Some(rule) = Place::of_origin(plain.strip_prefix('.').unwrap_or(plain))
            .filter(|_| !text.contains(['@', '/', '\\', '?', '#', '*']))
        else {
            continue;
        };
        for place in [Place::of_uri(url), Place::of_url(url)].into_iter().flatten() {
            assert!(!matches || rule.contains(&place), "{origin:?} matches {url:?}, which goes to {place:?}");
        }
    }
    if let Err(error) = valid {
        let message = error.to_string();
        assert!(message.starts_with("tracing origin"), "{message}");
    } else {
        // What is printed means the same.
        let printed = format!("{origin:?}");
        let name = printed.trim_start_matches("Origin::host(\"").trim_end_matches("\")");
        assert_eq!(format!("{:?}", Origin::host(name)), printed);
    }
}

/// A request without a host in its URI goes where its `Host` header says, if that says one thing.
fn check_host_header(host: &str, origins: &[Place]) {
    let Ok(mut request) = Request::get("/x").header("host", host).body(()) else { return };
    CLIENT.start_transaction("work", "task").enter(|| inject(&mut request));
    if request.headers().contains_key("sentry-trace") {
        let place = Place::of_uri(&format!("http://{}/x", host.trim())).expect("only a host is allowed");
        assert!(is_allowed(&place, origins) && !host.contains('@'), "{host:?} goes to {place:?}");
    }
}
