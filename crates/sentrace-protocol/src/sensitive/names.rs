//! What names say of the values behind them.

use super::terms::Terms;
use super::well_known::{ValueKind, well_known_header};

/// The value behind a name that contains one of these, in either case, is never reported: Sentry's denylist, with
/// `credential` for `credentials`, and `passphrase`.
pub const SENSITIVE_TERMS: &[&str] = &[
    "auth",
    "bearer",
    "cookie",
    "credential",
    "csrf",
    "identity",
    "jwt",
    "key",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "saml",
    "secret",
    "session",
    "sid",
    "sso",
    "token",
    "xsrf",
];

/// A name that contains one of these, in either case, has a value that may name a person.
pub const PERSONAL_TERMS: &[&str] = &["-ip", "-user", "forwarded", "remote-", "via"];

/// A query parameter whose name contains one of these, in either case, grants access, as in the presigned URLs of Amazon,
/// Google, Azure and others (OpenTelemetry's semantic conventions, `url.query`).
pub const SENSITIVE_PARAMETER_TERMS: &[&str] = &["signature"];

/// A query parameter that is named so, in either case, grants access. Elsewhere these words are too common.
pub const SENSITIVE_PARAMETERS: &[&str] = &[
    // Of presigned URLs.
    "googleaccessid",
    "hmac",
    "policy",
    "sig",
    // Of OAuth 2 and sign-in links. Its `state` grants nothing by itself.
    "assertion",
    "code",
    "code_verifier",
    "device_code",
    "oobcode",
    "user_code",
    // Of forms.
    "otp",
    "pass",
    "passcode",
    "pw",
];

/// The parts of [`SENSITIVE_PARAMETERS`] by which they are found in a whole query.
const PARAMETER_HINTS: &[&str] =
    &["assertion", "code", "googleaccessid", "hmac", "otp", "pass", "policy", "pw", "sig"];

/// Names of Sentry's conventions that contain a term of the denylist by chance.
const HARMLESS_FIELDS: &[&str] = &[
    "aws.s3.key",
    "aws.secretsmanager.secret.arn",
    "aws.secretsmanager.secret.name",
    "cache.key",
    "cloudflare.r2.request.key",
    "db.redis.key",
    "device.processor_count",
    "device.processor_frequency",
    "messaging.bullmq.job.deduplication.key",
    "messaging.bullmq.job.key",
    "messaging.kafka.message.key",
    "messaging.rabbitmq.destination.routing_key",
    "messaging.rabbitmq.routing_key",
    "redis.key",
];

pub(super) static SENSITIVE: Terms = Terms::new(&[SENSITIVE_TERMS]);

static PERSONAL: Terms = Terms::new(&[PERSONAL_TERMS]);

static EITHER: Terms = Terms::new(&[SENSITIVE_TERMS, PERSONAL_TERMS]);

static PARAMETER: Terms = Terms::new(&[SENSITIVE_TERMS, SENSITIVE_PARAMETER_TERMS]);

static QUERY: Terms =
    Terms::new(&[SENSITIVE_TERMS, PERSONAL_TERMS, SENSITIVE_PARAMETER_TERMS, PARAMETER_HINTS]);

/// Returns `true` if the value behind this name (of a header, a cookie) is a secret by the [`SENSITIVE_TERMS`].
///
/// ```
/// use sentrace_protocol::sensitive::is_sensitive;
///
/// assert!(is_sensitive("X-Api-Key"));
/// assert!(!is_sensitive("accept-language"));
/// ```
#[inline]
pub fn is_sensitive(key: &str) -> bool {
    well_known_header(key)
        .map_or_else(|| SENSITIVE.are_in(key.as_bytes()), |known| known.value == ValueKind::Sensitive)
}

/// Returns `true` if the value behind this name may name a person, by the [`PERSONAL_TERMS`].
///
/// ```
/// use sentrace_protocol::sensitive::is_personal;
///
/// assert!(is_personal("X-Real-IP"));
/// assert!(!is_personal("user-agent"));
/// ```
pub fn is_personal(key: &str) -> bool {
    well_known_header(key)
        .map_or_else(|| PERSONAL.are_in(key.as_bytes()), |known| known.value == ValueKind::Personal)
}

/// Returns `true` if the value behind this name is a secret or may name a person, by both lists.
///
/// ```
/// use sentrace_protocol::sensitive::is_sensitive_or_personal;
///
/// assert!(is_sensitive_or_personal("X-Api-Key") && is_sensitive_or_personal("X-Real-IP"));
/// assert!(!is_sensitive_or_personal("accept"));
/// ```
#[inline]
pub fn is_sensitive_or_personal(key: &str) -> bool {
    well_known_header(key)
        .map_or_else(|| EITHER.are_in(key.as_bytes()), |known| known.value.is_sensitive_or_personal())
}

/// Returns `true` if the value of this query parameter is a secret: by the [`SENSITIVE_TERMS`], or because it grants access
/// as the signature of a presigned URL does. The name is expected without percent-encoding.
///
/// ```
/// use sentrace_protocol::sensitive::{is_sensitive, is_sensitive_parameter};
///
/// assert!(is_sensitive_parameter("X-Amz-Signature") && is_sensitive_parameter("code"));
/// assert!(!is_sensitive_parameter("page") && !is_sensitive("http.response.status_code"));
/// ```
#[inline]
pub fn is_sensitive_parameter(name: &str) -> bool {
    PARAMETER.are_in(name.as_bytes()) || is_parameter(name)
}

/// Whether it is one of the [`SENSITIVE_PARAMETERS`], possibly one of several (`code[]`).
fn is_parameter(name: &str) -> bool {
    let name = name.split('[').next().unwrap_or_default().trim();
    SENSITIVE_PARAMETERS.iter().any(|parameter| parameter.eq_ignore_ascii_case(name))
}

/// Returns `false` only if no parameter of this query is sensitive or personal by its name. Takes one pass, and does not
/// understand percent-encoding.
#[inline]
pub fn may_have_sensitive_parameters(query: &str) -> bool {
    QUERY.are_in(query.as_bytes())
}

/// Returns `true` if the value of this attribute (a field of a `tracing` span, `snake_case` or `dotted.name`) is a secret by
/// the [`SENSITIVE_TERMS`]. Attributes of Sentry's conventions that only contain such a term, such as `cache.key` and
/// `gen_ai.usage.input_tokens`, are not.
///
/// ```
/// use sentrace_protocol::sensitive::is_sensitive_field;
///
/// assert!(is_sensitive_field("api_key") && is_sensitive_field("user.password"));
/// assert!(!is_sensitive_field("user") && !is_sensitive_field("cache.key"));
/// ```
pub fn is_sensitive_field(name: &str) -> bool {
    SENSITIVE.are_in(name.as_bytes()) && !HARMLESS_FIELDS.contains(&name) && !counts_tokens(name)
}

/// What language models are paid by.
fn counts_tokens(name: &str) -> bool {
    let is_count =
        |words: &str| ["_tokens", "_token", "tokens_per_second"].iter().any(|word| words.contains(word));
    (name.starts_with("gen_ai.usage.")
        || name.starts_with("gen_ai.cost.")
        || name.starts_with("gen_ai.request.")
        || name.starts_with("gen_ai.response.")
        || name.starts_with("ai."))
        && is_count(name)
}
