//! Values of tags and data: every call that compiles, and its effect.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use sentrace_core::{Options, SpanOptions, TraceLifecycle};
use sentrace_protocol::Value;

use crate::support::{only, recording, recording_with};

struct Plan;

impl AsRef<str> for Plan {
    fn as_ref(&self) -> &str {
        "gold"
    }
}

fn generic(span: &sentrace_core::SpanRef, tag: impl AsRef<str>, value: impl Into<Value<'static>>) {
    span.set_tag("generic", tag);
    span.set_data("generic", value);
}

#[test]
#[expect(clippy::needless_borrows_for_generic_args, reason = "references are among what must compile")]
fn tags_are_texts_numbers_and_options_of_them() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let text = String::from("text");
    let boxed: Box<str> = "boxed".into();
    transaction.set_tag("str", "text");
    transaction.set_tag("String", text.clone());
    transaction.set_tag("&String", &text);
    transaction.set_tag("&&str", &text.as_str());
    transaction.set_tag("Cow", Cow::Borrowed("text"));
    transaction.set_tag("Box", boxed);
    transaction.set_tag("Arc", Arc::<str>::from("text"));
    transaction.set_tag("Rc", &Rc::<str>::from("text"));
    transaction.set_tag("user's", Plan);
    transaction.set_tag("&user's", &Plan);
    transaction.set_tag("format", format!("{}", 7));
    transaction.set_tag("method", http::Method::GET);
    transaction.set_tag("cart", 7);
    transaction.set_tag("u64", u64::MAX);
    transaction.set_tag("usize", text.len());
    transaction.set_tag("i128", i128::MIN);
    transaction.set_tag("u16", http::StatusCode::OK.as_u16());
    transaction.set_tag("negative", -7_i8);
    transaction.set_tag("float", 0.25);
    transaction.set_tag("f32", 1.5_f32);
    transaction.set_tag("true", true);
    transaction.set_tag("char", 'x');
    transaction.set_tag("&bool", &false);
    [1, 2].iter().for_each(|number| transaction.set_tag("&i32", number));
    transaction.set_tag("Some", Some("text"));
    transaction.set_tag("Some(String)", Some(text.clone()));
    transaction.set_tag("Some(7)", Some(7));
    transaction.set_tag("as_ref", Some(text.clone()).as_ref());
    transaction.set_tag("as_deref", Some(text.clone()).as_deref());
    transaction.set_tag("nested", Some(Some(7)));
    transaction.set_tag("None", None::<&str>);
    transaction.set_tag("None(7)", None::<u32>);
    transaction.set_tag("nested None", Some(None::<u32>));
    transaction.set_tag("kept", "before");
    transaction.set_tag("kept", None::<&str>);
    transaction.set_tag("a".to_owned() + "b", "text");
    generic(&transaction, "text", 7);
    transaction.finish();
    let tags = only(&capture).transaction.tags;
    let told: Vec<_> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let expected = "str=text,String=text,-String=text,--str=text,Cow=text,Box=boxed,Arc=text,Rc=text,user-s=gold,\
        -user-s=gold,format=7,method=GET,cart=7,u64=18446744073709551615,usize=4,\
        i128=-170141183460469231731687303715884105728,u16=200,negative=-7,float=0.25,f32=1.5,true=true,char=x,\
        -bool=false,-i32=2,Some=text,Some-String-=text,Some-7-=7,as_ref=text,as_deref=text,nested=7,kept=before,\
        ab=text,generic=text";
    assert_eq!(told.join(","), expected);
}

#[test]
fn data_are_values_and_options_of_them() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let text = String::from("text");
    transaction.set_data("literal", 7);
    transaction.set_data("text", &text);
    transaction.set_data("float", 0.5);
    transaction.set_data("list", vec!["a", "b"]);
    transaction.set_data("Value", Value::from("text"));
    transaction.set_data("Some", Some(7));
    transaction.set_data("Some(text)", Some("text"));
    transaction.set_data("Some(String)", Some(text.clone()));
    transaction.set_data("as_deref", Some(text.clone()).as_deref());
    transaction.set_data("Some(Value)", Some(Value::from(true)));
    transaction.set_data("u64", Some(3_u64));
    transaction.set_data("nested", Some(Some(7)));
    transaction.set_data("None", None::<i32>);
    transaction.set_data("None(text)", None::<&str>);
    transaction.set_data("kept", 1);
    transaction.set_data("kept", None::<i32>);
    generic(&transaction, "text", "owned");
    transaction.finish();
    let data = only(&capture).transaction.trace.data;
    let expected = serde_json::json!({
        "literal": 7, "text": "text", "float": 0.5, "list": ["a", "b"], "Value": "text", "Some": 7,
        "Some(text)": "text", "Some(String)": "text", "as_deref": "text", "Some(Value)": true, "u64": 3, "nested": 7,
        "kept": 1, "generic": "owned",
    });
    assert_eq!(serde_json::to_value(data).unwrap(), expected);
}

#[test]
fn what_a_span_starts_with_is_as_much() {
    let (client, capture) = recording();
    let idle = client.start_idle_transaction("work");
    let options = SpanOptions::new("task", "child")
        .tag("cart", 7)
        .tag("plan", Some("gold"))
        .tag("none", None::<u8>)
        .tag("text", String::from("text"))
        .data("items", Some(3))
        .data("none", None::<&str>)
        .data("text", "text");
    idle.push_activity("child", Some(options)).pop();
    idle.finish();
    let span = only(&capture).transaction.spans.remove(0);
    let tags: Vec<_> = span.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(tags, ["cart=7", "plan=gold", "text=text"]);
    assert_eq!(serde_json::to_value(span.data).unwrap(), serde_json::json!({"items": 3, "text": "text"}));
}

#[test]
fn tags_that_sentry_would_drop_are_made_to_fit_wherever_they_are_set() {
    let long = "x".repeat(500);
    for lifecycle in [TraceLifecycle::Static, TraceLifecycle::Stream] {
        let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(lifecycle);
        let (client, capture) = recording_with(options);
        let transaction = client.start_transaction("work", "task");
        let span = transaction.start_span("task", "child");
        for span in [&*transaction, &*span] {
            span.set_tag("my tag", "two\nlines");
            span.set_tag("größe", &long);
            span.set_tag(long.clone(), "long key");
            span.set_tag("", "no key");
            span.set_tag("blank", " ");
        }
        span.finish();
        transaction.finish();
        let mut told: Vec<Vec<(String, String)>> = Vec::new();
        for captured in capture.take() {
            let tags = |tags: &sentrace_protocol::Tags<'_>| {
                tags.iter().map(|(key, value)| (key.to_owned(), value.to_string())).collect()
            };
            told.push(tags(&captured.transaction.tags));
            told.extend(captured.transaction.spans.iter().map(|span| tags(&span.tags)));
        }
        for captured in capture.take_spans() {
            let mut tags = Vec::new();
            for (key, value) in captured.span.attributes.iter() {
                if let (Value::Str(value), false) = (value, key.contains('.')) {
                    tags.push((key.to_owned(), value.to_string()));
                }
            }
            told.push(tags);
        }
        assert_eq!(told.len(), 2);
        for tags in told {
            let expected = [("my-tag", "two lines"), ("gr--e", &long[..200]), (&long[..200], "long key")];
            let tags: Vec<_> = tags.iter().map(|(key, value)| (&**key, &**value)).collect();
            assert_eq!(tags, expected, "{lifecycle:?}");
        }
    }
}

#[test]
fn empty_release_and_environment_count_as_unset() {
    let options = Options::new().traces_sample_rate(1.0).release(" ").environment("").server_name("\n");
    let from_environment = Options::from_vars(|name| match name {
        "SENTRY_RELEASE" => Some("\t".to_owned()),
        "SENTRY_ENVIRONMENT" => Some(String::new()),
        _ => None,
    });
    for options in [options, from_environment.traces_sample_rate(1.0)] {
        let (client, capture) = recording_with(options);
        let transaction = client.start_transaction("t", "task");
        let sent = transaction.baggage().unwrap();
        assert!(!sent.contains("release") && sent.contains("sentry-environment=production"), "{sent}");
        transaction.finish();
        let transaction = only(&capture).transaction;
        assert_eq!(
            (transaction.release.as_deref(), transaction.environment.as_deref()),
            (None, Some("production"))
        );
        assert_eq!(transaction.server_name, None);
    }
}
