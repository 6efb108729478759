//! The dynamic sampling context: read as the rules say, and the same after every further trip.

use sentrace_protocol::DynamicSamplingContext;
use sentrace_protocol::baggage::{MAX_BYTES, MAX_MEMBERS, PREFIX, copy_sentry_members, decode, encode_into};

use crate::input::fields;

/// Reads the input as a header; then sets each of its lines `key=value` by hand.
pub fn check(data: &[u8]) {
    let fields = fields(data);
    let header = fields.iter().map(|field| String::from_utf8_lossy(field)).collect::<Vec<_>>().join(",");
    let context = DynamicSamplingContext::from_baggage(&header);
    assert_eq!(pairs(&context), members_by_the_rules(&header));
    check_context(&context);

    let mut by_hand = DynamicSamplingContext::new();
    for field in &fields {
        let text = String::from_utf8_lossy(field);
        let (key, value) = text.split_once('=').unwrap_or((&text, ""));
        let room = by_hand.iter().count() < MAX_MEMBERS || by_hand.get(key).is_some();
        by_hand.set(key, value);
        assert_eq!(by_hand.get(key), (room && !key.is_empty()).then_some(value));
    }
    check_context(&by_hand);
}

fn check_context(context: &DynamicSamplingContext) {
    let members = pairs(context);
    assert!(members.len() <= MAX_MEMBERS);
    for (at, (key, _)) in members.iter().enumerate() {
        assert!(!key.is_empty());
        assert!(!members[..at].iter().any(|(earlier, _)| earlier == key), "{key:?} is there twice");
    }

    let header = context.to_baggage();
    assert!(header.len() <= MAX_BYTES);
    let again = DynamicSamplingContext::from_baggage(&header);
    assert_eq!(pairs(&again), those_that_fit(&members), "what was written is what is read");
    assert_eq!(again.to_baggage(), header, "printing is a fixpoint");

    let mut copied = String::new();
    copy_sentry_members([header.as_bytes()].into_iter(), &mut copied);
    assert_eq!(copied, header, "the next service copies all of it");

    let json = serde_json::to_value(context).expect("a context is a map of strings");
    let json = json.as_object().expect("a context is a map");
    assert_eq!(json.len(), members.len());
    assert!(members.iter().all(|(key, value)| json[key] == **value));
    assert_eq!(context.is_empty(), members.is_empty());
}

/// Each key at its first place with its last value.
fn members_by_the_rules(header: &str) -> Vec<(String, String)> {
    let mut members: Vec<(String, String)> = Vec::new();
    for member in header.split(',').map(|member| member.trim_matches([' ', '\t'])) {
        let pair = member.strip_prefix(PREFIX).and_then(|member| member.split_once('='));
        let Some((key, value)) = pair else { continue };
        let value = value.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
        let decoded = (decode(key.trim_end_matches([' ', '\t'])), decode(value));
        let (Some(key), Some(value)) = decoded else { continue };
        let full = members.len() == MAX_MEMBERS;
        match members.iter_mut().find(|(old, _)| *old == key) {
            Some((_, old)) => *old = value.into_owned(),
            None if key.is_empty() || full => {}
            None => members.push((key.into_owned(), value.into_owned())),
        }
    }
    members
}

fn those_that_fit(members: &[(String, String)]) -> Vec<(String, String)> {
    let mut length = 0;
    let mut fitting = Vec::new();
    for (key, value) in members {
        let mut member = PREFIX.to_owned();
        encode_into(key, &mut member);
        member.push('=');
        encode_into(value, &mut member);
        let longer = length + usize::from(length > 0) + member.len();
        if longer <= MAX_BYTES {
            length = longer;
            fitting.push((key.clone(), value.clone()));
        }
    }
    fitting
}

fn pairs(context: &DynamicSamplingContext) -> Vec<(String, String)> {
    context.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
