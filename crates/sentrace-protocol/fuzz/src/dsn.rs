//! The DSN: printing leads back to it, what it builds can be used, and its secret is shown nowhere else.

use http::{HeaderValue, Uri};
use sentrace_protocol::Dsn;

use crate::input::is_fit_for_a_log;

/// Nothing else in an input has it, so wherever it is, a secret is shown.
const SECRET: &str = "HUSHHUSH";

/// Reads the input as a DSN; then takes its lines for parts and puts a secret key between them.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Dsn::parse(&text) {
        Ok(dsn) => check_dsn(&dsn),
        Err(error) => is_fit_for_a_log(&error),
    }
    if !text.contains(SECRET) {
        check_secrecy(&text);
    }
}

fn check_dsn(dsn: &Dsn) {
    let printed = dsn.to_string();
    assert_eq!(printed.parse().as_ref(), Ok(dsn));
    assert_eq!(Dsn::parse(&format!("\t {printed}\n")).as_ref(), Ok(dsn), "blanks around it");

    let (scheme, host, path) = (dsn.scheme(), dsn.host(), dsn.path());
    assert_eq!((scheme, host), (&*scheme.to_ascii_lowercase(), &*host.to_ascii_lowercase()));
    assert!(path.is_empty() || (path.starts_with('/') && !path.ends_with('/')), "{path}");
    assert!(!dsn.project_id().is_empty() && !dsn.project_id().contains('/'));

    let url = dsn.envelope_url();
    let uri: Uri = url.parse().expect("the URL can be posted to");
    assert_eq!(uri.to_string(), url);
    assert_eq!(uri.scheme_str(), Some(dsn.scheme()));
    assert_eq!(uri.host(), Some(dsn.host()));
    assert_eq!(uri.port_u16(), dsn.port());
    assert_eq!(uri.path(), format!("{}/api/{}/envelope/", dsn.path(), dsn.project_id()));
    assert_eq!(uri.query(), None);

    let auth = dsn.auth_header("acme.rust/0.1.0");
    HeaderValue::from_str(&auth).expect("the header can be sent");
    let fields: Vec<&str> = auth.split(", ").skip(2).collect();
    let key = format!("sentry_key={}", dsn.public_key());
    match dsn.secret_key() {
        None => assert_eq!(fields, [key]),
        Some(secret) => assert_eq!(fields, [key, format!("sentry_secret={secret}")]),
    }
    if let Some(org) = dsn.org_id() {
        assert!(dsn.host().starts_with(&format!("o{org}.")));
        assert!(!org.is_empty() && org.bytes().all(|byte| byte.is_ascii_digit()));
    }
}

/// Broken or not: what stands between the first `:` behind the scheme and the last `@` is never repeated.
fn check_secrecy(text: &str) {
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (start, key, before, behind, rest) = (line(), line(), line(), line(), line());
    let scheme = format!("{start}{key}");
    if scheme.trim_start().bytes().all(|byte| byte.is_ascii_alphanumeric()) && before.starts_with("//") {
        // That colon ends a scheme, so what follows is a public key.
        return;
    }
    let (left, right) = (format!("{start}{key}:{before}"), format!("{behind}@{rest}"));
    if left.contains(SECRET) || right.contains(SECRET) {
        return;
    }
    let text = format!("{left}{SECRET}{right}");
    match Dsn::parse(&text) {
        Err(error) => {
            is_fit_for_a_log(&error);
            assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
        }
        Ok(dsn) => {
            let is_in_secret = dsn.secret_key().is_some_and(|secret| secret.contains(SECRET));
            if is_in_secret {
                assert!(!format!("{dsn:?}").contains(SECRET), "{dsn:?}");
                assert!(!dsn.envelope_url().contains(SECRET));
            }
            check_dsn(&dsn);
        }
    }
}
