//! Authentication: the public key, from the header, the query or the envelope itself.
//!
//! Follows the Sentry SDK specification, *Authentication*: one of the three must name a key, and
//! they must not contradict each other.

use serde_json::{Map, Value};

use super::findings::quoted;

/// The keys of a request, before the envelope is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// From `X-Sentry-Auth: Sentry sentry_key=...`.
    pub(crate) header: Option<String>,
    /// From `?sentry_key=...`.
    pub(crate) query: Option<String>,
    /// Whether no key is required, as for Spotlight.
    pub(crate) optional: bool,
}

impl Credentials {
    /// Returns the key of an `X-Sentry-Auth` header.
    pub(crate) fn key_in_header(header: &str) -> Option<String> {
        let members = header.trim().strip_prefix("Sentry ")?;
        let mut pairs = members.split(',').filter_map(|member| member.trim().split_once('='));
        pairs.find(|(name, _)| *name == "sentry_key").map(|(_, key)| key.trim().to_owned())
    }

    /// Checks the keys against each other and the envelope's `dsn` against the project.
    pub(crate) fn check(&self, project: Option<&str>, headers: &Map<String, Value>) -> Result<(), String> {
        let dsn = headers.get("dsn").and_then(Value::as_str);
        let parts = dsn.map(|dsn| dsn_parts(dsn).ok_or_else(|| format!("dsn {} is not a DSN", quoted(dsn))));
        let parts = parts.transpose()?;
        let keys = [self.header.as_deref(), self.query.as_deref(), parts.map(|(key, _)| key)];
        let mut keys = keys.into_iter().flatten();
        match keys.next() {
            None if self.optional => return Ok(()),
            None | Some("") => {
                return Err("no key: send X-Sentry-Auth, ?sentry_key= or the envelope header dsn".into());
            }
            Some(first) if keys.any(|key| key != first) => {
                return Err("the keys in X-Sentry-Auth, ?sentry_key= and dsn contradict each other".into());
            }
            Some(_) => {}
        }
        match (project, parts) {
            (Some(project), Some((_, of_dsn))) if project != of_dsn => Err(format!(
                "dsn is for project {}, but the request is for {}",
                quoted(of_dsn),
                quoted(project)
            )),
            _ => Ok(()),
        }
    }
}

/// Returns the public key and the project of a DSN.
pub(super) fn dsn_parts(dsn: &str) -> Option<(&str, &str)> {
    let (_, rest) = dsn.split_once("://")?;
    let (user, location) = rest.split_once('@')?;
    let (_, project) = location.trim_end_matches('/').rsplit_once('/')?;
    let key = user.split(':').next()?;
    (!key.is_empty() && !project.is_empty()).then_some((key, project))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_must_come_from_somewhere_and_may_not_contradict_another() {
        let dsn = "https://k@ingest.example/prefix/7";
        let table = [
            (Some("k"), None, None, true, "the header alone"),
            (None, Some("k"), None, true, "the query alone"),
            (None, None, Some(dsn), true, "the envelope alone"),
            (Some("k"), Some("k"), Some(dsn), true, "all three agree"),
            (None, None, None, false, "none"),
            (Some(""), None, None, false, "an empty key"),
            (Some("k"), Some("other"), None, false, "header against query"),
            (Some("other"), None, Some(dsn), false, "header against envelope"),
            (Some("k"), None, Some("https://k@ingest.example/8"), false, "another project"),
            (Some("k"), None, Some("nonsense"), false, "a dsn that is none"),
        ];
        for (header, query, dsn, allowed, reason) in table {
            let credentials = Credentials {
                header: header.map(str::to_owned),
                query: query.map(str::to_owned),
                optional: false,
            };
            let headers = json!({ "dsn": dsn });
            let checked = credentials.check(Some("7"), headers.as_object().unwrap());
            assert_eq!(checked.is_ok(), allowed, "{reason}: {checked:?}");
        }
    }

    #[test]
    fn the_key_is_found_anywhere_in_the_header() {
        let header = "Sentry sentry_version=7, sentry_client=a/1, sentry_key=abc";
        assert_eq!(Credentials::key_in_header(header).as_deref(), Some("abc"));
        assert_eq!(Credentials::key_in_header("Sentry sentry_key=abc").as_deref(), Some("abc"));
        assert_eq!(Credentials::key_in_header("Bearer abc"), None);
        assert_eq!(Credentials::key_in_header("Sentry "), None);
    }
}
