//! All variants.

mod baseline;
mod least;
mod outgoing;
#[cfg(feature = "peers")]
mod peers;
mod sentrace;
mod trace_headers;

pub use self::baseline::Noop;
use crate::variant::Variant;

/// Everything that can be measured in this build.
pub fn all() -> Vec<Variant> {
    let mut variants = ours();
    variants.extend(least::VARIANTS);
    variants.extend(peers());
    variants
}

/// Ours and what they are compared with, which the gate counts.
pub fn ours() -> Vec<Variant> {
    [baseline::VARIANTS, sentrace::VARIANTS, outgoing::VARIANTS, trace_headers::VARIANTS].concat()
}

/// What others have made.
pub fn peers() -> Vec<Variant> {
    #[cfg(feature = "peers")]
    return peers::all();
    #[cfg(not(feature = "peers"))]
    return Vec::new();
}

/// The variant of that name.
///
/// # Errors
/// Where there is none, with those that there are.
pub fn named(name: &str) -> Result<Variant, String> {
    let all = all();
    all.iter().find(|variant| variant.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|variant| variant.name).collect();
        format!("there is no variant {name:?} in this build, but: {}", names.join(" "))
    })
}

/// sentry-tower as services have it: everything is sampled and sent by its default transport.
#[cfg(feature = "peers")]
pub fn sentry_delivering(collector: &str) -> axum::Router {
    peers::sentry_delivering(collector)
}
