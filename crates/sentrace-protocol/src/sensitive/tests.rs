use proptest::prelude::*;

use super::*;

fn naive(key: &str, terms: &[&str]) -> bool {
    let key = key.to_ascii_lowercase();
    terms.iter().any(|term| key.contains(term))
}

fn filtered(query: &str) -> String {
    let mut shown = String::new();
    filter_query_into(query, is_sensitive, &mut shown);
    shown
}

#[test]
fn every_term_is_found_anywhere_in_either_case() {
    for term in SENSITIVE_TERMS {
        for key in
            [term.to_owned(), term.to_uppercase(), format!("x-{term}-y"), format!("{}{term}", &term[..1])]
        {
            assert!(is_sensitive(&key), "{key} contains {term}");
        }
    }
    for term in PERSONAL_TERMS {
        for key in [term.to_owned(), term.to_uppercase(), format!("x{term}y")] {
            assert!(is_personal(&key), "{key} contains {term}");
        }
    }
}

#[test]
fn usual_headers_are_judged_as_sentry_does() {
    let rows = [
        ("Authorization", true, false),
        ("Proxy-Authorization", true, false),
        ("Cookie", true, false),
        ("Set-Cookie", true, false),
        ("X-Api-Key", true, false),
        ("X-CSRF-Token", true, false),
        ("X-Forwarded-For", false, true),
        ("X-Real-IP", false, true),
        ("Forwarded", false, true),
        ("Via", false, true),
        ("X-Remote-User", false, true),
        ("User-Agent", false, false),
        ("Accept", false, false),
        ("Content-Type", false, false),
        ("X-Request-Id", false, false),
        ("", false, false),
    ];
    for (name, sensitive, personal) in rows {
        assert_eq!((is_sensitive(name), is_personal(name)), (sensitive, personal), "{name}");
    }
}

#[test]
fn names_that_are_known_are_judged_by_the_terms() {
    let source = include_str!("usual.rs");
    let list = source.split("pub fn usual_header(").nth(1).unwrap().split("\n}").next().unwrap();
    let names: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let usual = usual_header(name).unwrap();
        let by_terms = (naive(name, &SENSITIVE_TERMS), naive(name, &PERSONAL_TERMS));
        let by_kind = match usual.value {
            ValueKind::Harmless | ValueKind::Url | ValueKind::Host | ValueKind::Trace => (false, false),
            ValueKind::Sensitive => (true, false),
            ValueKind::Personal => (false, true),
        };
        assert_eq!((usual.name, by_kind), (name, by_terms));
    }
}

#[test]
fn secrets_in_a_query_are_replaced_and_the_rest_stays() {
    let rows = [
        ("", "", "nothing"),
        ("a=1&b=2", "a=1&b=2", "harmless"),
        ("a=1&token=x", "a=1&token=[Filtered]", "a sensitive name"),
        ("TOKEN=x&a=1", "TOKEN=[Filtered]&a=1", "either case"),
        ("t%6Fken=x", "t%6Fken=[Filtered]", "an encoded name"),
        ("%zz%20t%6Fken=x", "%zz%20t%6Fken=[Filtered]", "a broken escape hides nothing"),
        ("%fft%6Fken=x", "%fft%6Fken=[Filtered]", "bytes that are not UTF-8 hide nothing"),
        ("%\u{e9}t%6Fken=x", "%\u{e9}t%6Fken=[Filtered]", "characters of several bytes hide nothing"),
        ("token=a=b", "token=[Filtered]", "only the first = separates"),
        ("token=", "token=[Filtered]", "an empty value"),
        ("token", "token", "a name without value"),
        ("a=1;token=x;b=2", "a=1;token=[Filtered];b=2", "semicolons separate for some servers"),
        ("token=x;y", "token=[Filtered]", "for other servers a semicolon is a part of the secret"),
        ("token=x;b=2&c=3", "token=[Filtered]&c=3", "so is all up to the &"),
        ("token;a=x", "token;a=[Filtered]", "or a part of the name"),
        ("&&a=1&", "&&a=1&", "empty pairs stay"),
        ("user[password]=x", "user[password]=[Filtered]", "a name with brackets"),
    ];
    for (query, shown, reason) in rows {
        assert_eq!(filtered(query), shown, "{reason}");
    }
}

#[test]
fn credentials_are_replaced_only_in_the_authority() {
    let rows = [
        ("https://example.com/a", "https://example.com/a", "none"),
        ("https://me:pw@example.com/a", "https://[Filtered]:[Filtered]@example.com/a", "name and password"),
        ("https://me@example.com", "https://[Filtered]:[Filtered]@example.com", "a name"),
        ("https://a@b@example.com", "https://[Filtered]:[Filtered]@example.com", "an @ in the password"),
        ("//me:pw@example.com/", "//[Filtered]:[Filtered]@example.com/", "without scheme"),
        ("postgres://me:pw@db/x", "postgres://[Filtered]:[Filtered]@db/x", "any scheme"),
        ("https://example.com/@me", "https://example.com/@me", "an @ in the path"),
        ("https://example.com?m=a@b", "https://example.com?m=a@b", "an @ in the query"),
        ("https://example.com#a@b", "https://example.com#a@b", "an @ in the fragment"),
        ("://me:pw@x", "://[Filtered]:[Filtered]@x", "an empty scheme"),
        ("h~ttps://me:pw@x", "h~ttps://[Filtered]:[Filtered]@x", "an odd scheme"),
        (" https://me:pw@x", " https://[Filtered]:[Filtered]@x", "a blank before it"),
        ("/a://me:pw@x", "/a://me:pw@x", "a path with a colon is no scheme"),
        ("/path//me:pw@x", "/path//me:pw@x", "a path is no authority"),
        ("mailto:me@example.com", "mailto:me@example.com", "no authority"),
        ("", "", "nothing"),
    ];
    for (url, shown, reason) in rows {
        assert_eq!(filter_userinfo(url), shown, "{reason}");
    }
}

#[test]
fn a_url_is_split_at_query_and_fragment() {
    let rows = [
        ("/a", "/a", None, None, "a path"),
        ("/a?", "/a", Some(""), None, "an empty query"),
        ("/a?b?c", "/a", Some("b?c"), None, "the first ? separates"),
        ("/a#b?c", "/a", None, Some("b?c"), "a ? in the fragment"),
        ("http://m:p@h?q#f", "http://[Filtered]:[Filtered]@h", Some("q"), Some("f"), "credentials go"),
    ];
    for (url, without_query, query, fragment, reason) in rows {
        let parts = UrlParts { without_query: without_query.into(), query, fragment };
        assert_eq!(split_url(url), parts, "{reason}");
    }
}

proptest! {
    #[test]
    fn the_quick_search_agrees_with_the_plain_one(key in "[a-zA-Z_-]{0,12}(token|Key|sid|-IP|via)?[a-z-]{0,4}") {
        prop_assert_eq!(is_sensitive(&key), naive(&key, &SENSITIVE_TERMS));
        prop_assert_eq!(is_personal(&key), naive(&key, &PERSONAL_TERMS));
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>(), near in "[a%&;=@:/?#\\\\0-9\u{e9}]{0,30}") {
        for text in [text, near] {
            let _ = (is_sensitive(&text), is_personal(&text), split_url(&text));
            let _ = filtered(&text);
        }
    }

    #[test]
    fn a_harmless_query_is_copied_unchanged(query in "[a-d0-9=&;%+]{0,30}") {
        prop_assert_eq!(filtered(&query), query);
    }
}
