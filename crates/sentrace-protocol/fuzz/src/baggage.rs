//! `baggage`: what is copied, found and merged is what a plain reading of the rules gives, within the limits.

use std::borrow::Cow;

use sentrace_protocol::DynamicSamplingContext;
use sentrace_protocol::baggage::{
    MAX_BYTES, MAX_MEMBERS, PREFIX, copy_sentry_members, copy_sentry_members_within_limits, decode,
    decoded_member, encode_into, member, merge,
};

use crate::input::fields;

/// Takes each line of the input for one header; a first line of digits repeats them.
pub fn check(data: &[u8]) {
    let fields = fields(data);
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();

    let copied = copy(&fields);
    check_copied(&fields, &copied);
    check_within_limits(&fields, &copied);
    check_lookup(&copied);
    check_merged(&fields, &copied);
    check_merged(&fields, "sentry-sampled=true");
    check_merged(&fields, "sentry-release=shop%401,sentry-sampled=true,sentry-transaction=GET%20%2F");
    check_merged(&fields, "");
    check_encoding(&String::from_utf8_lossy(data));
}

fn check_copied(fields: &[&[u8]], copied: &str) {
    let expected = members_by_the_rules(fields);
    assert_eq!(copied, expected);
    assert_eq!(copy(&[copied.as_bytes()]), copied, "copying is a fixpoint");

    let (mut one_by_one, mut unusable) = (String::new(), 0);
    for field in fields {
        unusable += copy_sentry_members([*field].into_iter(), &mut one_by_one);
    }
    assert_eq!(one_by_one, copied, "callers that hand over one header at a time get the same");
    let ours = members_of(fields).iter().filter(|member| member.starts_with(PREFIX)).count();
    assert_eq!(members_of(&[copied.as_bytes()]).len() + unusable, ours, "each is copied or counted");
}

/// What is left out for room is what a context may do without, and only where that helps.
fn check_within_limits(fields: &[&[u8]], copied: &str) {
    let mut within = String::new();
    let unusable = copy_sentry_members_within_limits(fields.iter().copied(), &mut within);
    let lost = |keys: &[&str], kept: &str| {
        let ours = members_of(fields).into_iter().filter(|member| member.starts_with(PREFIX));
        ours.filter(|member| !is_called(member, keys)).count() - members_of(&[kept.as_bytes()]).len()
    };
    let candidates = [&[][..], &["transaction"], &["transaction", "release"]].map(|keys| {
        let kept: Vec<String> =
            members_of(fields).into_iter().filter(|member| !is_called(member, keys)).collect();
        let kept = members_by_the_rules(&[kept.join(",").as_bytes()]);
        (lost(keys, &kept), kept)
    });
    let (fewest, best) = candidates.iter().min_by_key(|(lost, _)| *lost).expect("there are three");
    assert_eq!((unusable, &within), (*fewest, best), "{copied:?}");
    assert!(within.len() <= MAX_BYTES);
}

fn is_called(member: &str, keys: &[&str]) -> bool {
    let key = member.strip_prefix(PREFIX).and_then(|member| member.split_once('='));
    let key = key.and_then(|(key, _)| decode(key.trim_end_matches([' ', '\t'])));
    key.is_some_and(|key| keys.contains(&&*key))
}

/// Sentry's printable members with a `=`, as many as fit.
fn members_by_the_rules(fields: &[&[u8]]) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut length = 0;
    for member in members_of(fields) {
        let is_ours = member.starts_with(PREFIX) && member.contains('=');
        let is_printable = member.chars().all(|c| matches!(c, ' '..='~' | '\t'));
        let longer = length + usize::from(length > 0) + member.len();
        if is_ours && is_printable && kept.len() < MAX_MEMBERS && longer <= MAX_BYTES {
            length = longer;
            kept.push(member);
        }
    }
    kept.join(",")
}

fn check_lookup(copied: &str) {
    let context = DynamicSamplingContext::from_baggage(copied);
    let keys: Vec<&str> = copied
        .split(',')
        .filter_map(|member| member.strip_prefix(PREFIX)?.split_once('='))
        .map(|(key, _)| key.trim_end_matches([' ', '\t']))
        .collect();
    // A few of them: each look-up reads the whole header.
    for key in keys.iter().take(6) {
        let value = member(copied, key).expect("every member is found by its key");
        assert_eq!(value.trim_matches([' ', '\t']), value);
        assert!(!value.contains([',', ';']), "{value:?}");
        let is_plain = !keys.iter().any(|key| key.contains('%'));
        if let (Some(decoded), true) = (decode(value), is_plain && !key.is_empty()) {
            assert_eq!(context.get(key), Some(&*decoded), "both readers agree about {key:?}");
        }
    }
    for (key, value) in context.iter().take(6) {
        assert_eq!(decoded_member(copied, key).as_deref(), Some(value), "both readers agree about {key:?}");
    }
}

fn check_merged(fields: &[&[u8]], ours: &str) {
    let merged = merge(fields.iter().copied(), ours);
    let third_party: Vec<String> =
        members_of(fields).into_iter().filter(|member| !member.starts_with(PREFIX)).collect();
    let theirs = third_party.join(",");

    let separator = usize::from(!theirs.is_empty());
    let fits = |ours: &str| {
        let count = members_of(&[ours.as_bytes()]).len();
        theirs.len() + separator + ours.len() <= MAX_BYTES && third_party.len() + count <= MAX_MEMBERS
    };
    let without = |keys: &[&str]| {
        let kept: Vec<String> =
            members_of(&[ours.as_bytes()]).into_iter().filter(|member| !is_called(member, keys)).collect();
        kept.join(",")
    };
    let variants = [ours.to_owned(), without(&["transaction"]), without(&["transaction", "release"])];
    let fitting = variants.iter().find(|ours| fits(ours));
    let put = fitting.map_or("", |fitting| fitting);
    let expected = match (theirs.is_empty(), put.is_empty()) {
        (_, true) => theirs.clone(),
        (true, false) => put.to_owned(),
        (false, false) => format!("{theirs},{put}"),
    };
    assert_eq!(merged, expected, "the others byte for byte and in order, then as much of ours as may be");
    if theirs.len() <= MAX_BYTES && third_party.len() <= MAX_MEMBERS {
        assert!(merged.len() <= MAX_BYTES);
        assert!(members_of(&[merged.as_bytes()]).len() <= MAX_MEMBERS);
    }
    assert_eq!(merge([merged.as_bytes()].into_iter(), ours), merged, "merging is a fixpoint");
}

fn check_encoding(text: &str) {
    let mut encoded = String::new();
    encode_into(text, &mut encoded);
    assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
    assert_eq!(decode(&encoded), Some(Cow::Borrowed(text)));

    if let Some(decoded) = decode(text) {
        let mut again = String::new();
        encode_into(&decoded, &mut again);
        assert_eq!(decode(&again), Some(decoded), "what was read can be sent on");
    }
}

fn copy(fields: &[&[u8]]) -> String {
    let mut copied = String::new();
    copy_sentry_members(fields.iter().copied(), &mut copied);
    copied
}

/// The members of all fields that are text, without blanks around them and without the empty ones.
fn members_of(fields: &[&[u8]]) -> Vec<String> {
    let members = fields.iter().flat_map(|field| field.split(|byte| *byte == b','));
    let texts = members.filter_map(|member| std::str::from_utf8(member).ok());
    texts.map(|text| text.trim_matches([' ', '\t']).to_owned()).filter(|text| !text.is_empty()).collect()
}
