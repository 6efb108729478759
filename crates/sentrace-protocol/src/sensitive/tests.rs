use proptest::prelude::*;

use super::fast_path::*;
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
    for term in SENSITIVE_TERMS.iter().copied() {
        for key in
            [term.to_owned(), term.to_uppercase(), format!("x-{term}-y"), format!("{}{term}", &term[..1])]
        {
            assert!(is_sensitive(&key), "{key} contains {term}");
        }
    }
    for &term in PERSONAL_TERMS {
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
    let source = include_str!("well_known.rs");
    let list = source.split("pub fn well_known_header(").nth(1).unwrap().split("\n}").next().unwrap();
    let names: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let known = well_known_header(name).unwrap();
        let by_terms = (naive(name, SENSITIVE_TERMS), naive(name, PERSONAL_TERMS));
        let by_kind = match known.value {
            ValueKind::Harmless | ValueKind::Url | ValueKind::Host | ValueKind::Trace => (false, false),
            ValueKind::Sensitive => (true, false),
            ValueKind::Personal => (false, true),
        };
        assert_eq!((known.name, by_kind), (name, by_terms));
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

#[test]
fn parameters_that_grant_access_are_replaced() {
    let rows = [
        ("X-Amz-Signature=SECRET", "an S3 URL"),
        ("X-Amz-Credential=SECRET", "the key's id and scope"),
        ("X-Amz-Security-Token=SECRET", "of temporary credentials"),
        ("x-amz-signature=SECRET", "in either case"),
        ("AWSAccessKeyId=SECRET", "version 2 of S3"),
        ("Signature=SECRET", "version 2 of S3 and Google, CloudFront"),
        ("Key-Pair-Id=SECRET", "CloudFront"),
        ("Policy=SECRET", "CloudFront"),
        ("X-Goog-Signature=SECRET", "Google"),
        ("X-Goog-Credential=SECRET", "Google"),
        ("GoogleAccessId=SECRET", "version 2 of Google"),
        ("sig=SECRET", "a shared access signature of Azure"),
        ("OSSAccessKeyId=SECRET", "Alibaba"),
        ("x-oss-signature=SECRET", "Alibaba"),
        ("q-signature=SECRET", "Tencent"),
        ("code=SECRET", "OAuth"),
        ("code_verifier=SECRET", "OAuth"),
        ("client_assertion=eyJhbGciOiJub25lIn0.SECRET", "OAuth"),
        ("id_token=SECRET", "OpenID Connect"),
        ("oauth_signature=SECRET", "OAuth 1"),
        ("SAMLResponse=SECRET", "SAML"),
        ("oobCode=SECRET", "Firebase"),
        ("hmac=SECRET", "Shopify"),
        ("code[]=SECRET", "one of several"),
        ("%53ig=SECRET", "encoded"),
        ("a=1;sig=SECRET", "behind a semicolon"),
        ("a=1&amp;sig=SECRET", "with an escaped ampersand"),
        ("a=Bearer+SECRET", "an Authorization header"),
        ("a=basic%20SECRET", "one that is encoded"),
        ("a=eyJhbGciOiJub25lIn0.SECRET.c2ln", "a JSON Web Token"),
        ("eyJhbGciOiJub25lIn0.SECRET.c2ln", "a JSON Web Token without a name"),
        ("next=https://me:SECRET@example.com/", "a URL with a password"),
        ("next=https%3A%2F%2Fme%3ASECRET%40example.com%2F", "the same encoded"),
        ("next=https%3A%2F%2Fexample.com%2F%3Fsig%3DSECRET", "an encoded URL with a signature"),
        ("next=/login?token=SECRET", "a path with a token"),
        ("next=%2Flogin%3Ftoken%3DSECRET", "the same encoded"),
    ];
    for (query, reason) in rows {
        let shown = filter_query(query);
        assert!(
            !shown.contains("SECRET") && shown.contains(FILTERED),
            "{reason}: {query} is shown as {shown}"
        );
        let url = format!("https://example.com/a?{query}#{query}");
        assert!(!filter_url(&url).contains("SECRET"), "{reason}: {url}");
        let text = format!("GET https://example.com/a?{query} failed");
        let shown = filter_text(&text);
        assert!(!shown.contains("SECRET") && shown.ends_with(" failed"), "{reason}: {shown}");
        let hint = query.split('=').next().unwrap();
        if is_sensitive_parameter(hint) {
            assert!(may_have_sensitive_parameters(query), "{reason}: a query is searched for {hint}");
        }
    }
}

#[test]
fn harmless_parameters_stay() {
    let query = "page=2&state=open&zip_code=1&status_code=200&design=a&X-Amz-Date=1&X-Amz-SignedHeaders=host&sv=2020&\
                 q=a:b&t=12:30&email=me@example.com&next=/cart?page=2&next=https%3A%2F%2Fexample.com%2F&v=eyJ.a&b=basic";
    assert_eq!(filter_query(query), query);
}

#[test]
fn parameters_are_found_in_a_whole_query() {
    for parameter in SENSITIVE_PARAMETERS.iter().chain(SENSITIVE_PARAMETER_TERMS) {
        assert!(is_sensitive_parameter(parameter) && is_sensitive_parameter(&parameter.to_uppercase()));
        assert!(may_have_sensitive_parameters(&format!("page=2&{parameter}=x")), "{parameter}");
    }
    for name in ["code", "policy", "sig", "signature", "pass"] {
        assert!(!is_sensitive(&format!("x-{name}")), "{name} says nothing as a header or an attribute");
    }
    assert!(!may_have_sensitive_parameters("page=2&sort=price"));
}

#[test]
fn secrets_are_recognised_by_their_form() {
    let rows = [
        ("Bearer SECRET", "[Filtered]", "an Authorization header"),
        ("bEARER  SECRET", "[Filtered]", "in any case"),
        ("  Bearer\tSECRET", "[Filtered]", "with other blanks"),
        ("\"Bearer SECRET\"", "[Filtered]", "in quotes, as Debug prints it"),
        ("Authorization: Bearer SECRET", "[Filtered]", "with the header's name"),
        ("Basic SECRET", "[Filtered]", "name and password"),
        ("Digest username=\"me\", response=\"SECRET\"", "[Filtered]", "Digest"),
        ("Negotiate YIISECRETSECRETSECRET", "[Filtered]", "Kerberos"),
        ("NTLM TlRMTVNTUAABSECRET", "[Filtered]", "NTLM"),
        ("AWS4-HMAC-SHA256 Credential=SECRET/x, Signature=y", "[Filtered]", "Amazon"),
        ("DPoP SECRETSECRETSECRET", "[Filtered]", "DPoP"),
        ("Token token=SECRET", "[Filtered]", "Rails"),
        ("OAuth oauth_token=\"SECRET\"", "[Filtered]", "OAuth 1"),
        ("eyJhbGciOiJub25lIn0.SECRET.", "[Filtered]", "a JSON Web Token"),
        ("jwt=eyJhbGciOiJub25lIn0.SECRET.c2ln!", "jwt=[Filtered]!", "within a text"),
        ("/verify/eyJhbGciOiJub25lIn0.SECRET.c2ln", "/verify/[Filtered]", "in a path"),
        ("postgres://me:SECRET@db/x", "postgres://[Filtered]:[Filtered]@db/x", "a database"),
        ("redis://:SECRET@cache", "redis://[Filtered]:[Filtered]@cache", "without a name"),
        ("amqps://me:SE@CRET@mq", "amqps://[Filtered]:[Filtered]@mq", "an @ in the password"),
        ("mongodb+srv://me:SE/CRET@db", "mongodb+srv://[Filtered]:[Filtered]@db", "a slash in the password"),
        ("mysql://me:SE CRET@db/x", "mysql://[Filtered]:[Filtered]@db/x", "a blank in the password"),
        (
            "lost redis://:SECRET@cache/0, again",
            "lost redis://[Filtered]:[Filtered]@cache/0, again",
            "within a text",
        ),
        (
            "a://b c://d:SECRET@e f://g:SECRET@h",
            "a://b c://[Filtered]:[Filtered]@e f://[Filtered]:[Filtered]@h",
            "each",
        ),
        ("{\"u\":\"a://b:SECRET@c\"}", "{\"u\":\"a://[Filtered]:[Filtered]@c\"}", "in JSON"),
        ("/login?token=SECRET", "/login?token=[Filtered]", "without a host"),
        ("//me:SECRET@h/", "//[Filtered]:[Filtered]@h/", "without a scheme"),
        (
            "https://h/proxy/http://me:SECRET@x/",
            "https://h/proxy/http://[Filtered]:[Filtered]@x/",
            "in a path",
        ),
        ("https://h/#access_token=SECRET", "https://h/#access_token=[Filtered]", "in a fragment"),
    ];
    for (text, expected, reason) in rows {
        assert_eq!(filter_text(text), expected, "{reason}");
    }
    for scheme in [
        "ApiKey",
        "Concealed",
        "DPoP",
        "GNAP",
        "Hawk",
        "HMAC",
        "HOBA",
        "Key",
        "MAC",
        "Mutual",
        "PrivateToken",
        "SharedAccessSignature",
        "Signature",
        "SSWS",
        "Token",
        "vapid",
        "SCRAM-SHA-256",
        "Proxy-Authorization:",
    ] {
        for scheme in [scheme.to_owned(), scheme.to_uppercase(), format!(" '{scheme}")] {
            assert!(is_credential(&format!("{scheme} k=SECRET")), "{scheme}");
        }
    }
    let harmless = [
        "",
        "Bearer",
        "bearer ",
        "Digest of the day",
        "Token bucket is full",
        "Negotiate the price",
        "Basically fine",
        "SELECT a::text, b FROM c WHERE d = ?",
        "GET https://example.com:8443/@me",
        "12:30",
        "me@example.com",
        "eyJ",
        "KeyJoin.of.eyJa",
        "https://example.com/a?page=2#top",
        "[Filtered]",
        "https://[Filtered]:[Filtered]@example.com/?token=[Filtered]",
        "mailto:me@example.com",
        "git@example.com:a/b.git",
        "/a?page=2",
    ];
    for text in harmless {
        assert!(matches!(filter_text(text), std::borrow::Cow::Borrowed(same) if same == text), "{text}");
    }
}

#[test]
fn an_attribute_is_judged_by_its_name_and_its_value() {
    let rows = [
        ("password", "SECRET", "[Filtered]", "a name of the denylist"),
        ("api_key", "SECRET", "[Filtered]", "in snake case"),
        ("user.accessToken", "SECRET", "[Filtered]", "in camel case"),
        ("Authorization", "SECRET", "[Filtered]", "a header"),
        ("passphrase", "SECRET", "[Filtered]", "a long password"),
        ("note", "Bearer SECRET", "[Filtered]", "a harmless name"),
        ("db.url", "postgres://me:SECRET@db", "postgres://[Filtered]:[Filtered]@db", "a URL"),
        ("target_url", "/a?sig=SECRET", "/a?sig=[Filtered]", "a URL without a host"),
        ("url", "example.com/a?sig=SECRET", "example.com/a?sig=[Filtered]", "nor a scheme"),
        ("http.target", "a?sig=SECRET", "a?sig=[Filtered]", "nor a slash"),
        ("url.query", "a=1&sig=SECRET", "a=1&sig=[Filtered]", "a query"),
        ("http.query", "?code=SECRET", "code=[Filtered]", "with its mark"),
        ("http.response.status_code", "200", "200", "`code` is a parameter only"),
        ("error.code", "E7", "E7", "the same"),
        ("cache.key", "user:7", "user:7", "an attribute of Sentry's conventions"),
        ("gen_ai.usage.input_tokens", "12", "12", "what a model was asked"),
        ("device.processor_count", "8", "8", "contains sso"),
        ("db.query.text", "SELECT ?", "SELECT ?", "SQL"),
        ("user", "me", "me", "a harmless name and value"),
    ];
    for (name, value, expected, reason) in rows {
        assert_eq!(filter_field(name, value), expected, "{name}: {reason}");
    }
}

#[test]
fn an_option_is_shown_without_what_could_be_a_secret() {
    let rows = [
        ("http://proxy:3128", "http://proxy:3128", "nothing to hide"),
        ("http://me:SECRET@proxy:3128", "http://[Filtered]@proxy:3128", "a password"),
        ("http://me:SE@CRET@proxy", "http://[Filtered]@proxy", "with an @"),
        ("http://me:SE/CRET@proxy", "http://[Filtered]@proxy", "with a slash"),
        ("http://me:SE?CRET@proxy", "http://[Filtered]@proxy", "with a question mark"),
        ("http://me:SE#CRET@proxy", "http://[Filtered]@proxy", "with a hash"),
        ("http://me:SE CRET@pro xy", "http://[Filtered]@pro xy", "with a blank"),
        ("http://me:SE\\CRET@proxy", "http://[Filtered]@proxy", "with a backslash"),
        ("http:/me:SECRET@proxy", "[Filtered]@proxy", "with one slash"),
        ("me:SECRET@proxy:3128", "[Filtered]@proxy:3128", "without a scheme"),
        ("SECRET://SECRET@proxy", "SECRET://[Filtered]@proxy", "a scheme is not a secret"),
        ("a b://SECRET@proxy", "[Filtered]@proxy", "not a scheme"),
        ("http://spotlight/?token=SECRET", "http://spotlight/?token=[Filtered]", "a token"),
        (
            "http://me@spotlight/?token=SECRET",
            "http://[Filtered]@spotlight/?token=[Filtered]",
            "behind a name",
        ),
    ];
    for (value, expected, reason) in rows {
        assert_eq!(filter_option(value), expected, "{reason}");
    }
}

#[test]
fn urls_within_urls_are_filtered_to_any_depth_in_bounded_time() {
    let mut url = String::from("https://me:SECRET@h/?sig=SECRET");
    for _ in 0..200 {
        url = format!("https://h/?a={url}");
    }
    assert!(!filter_text(&url).contains("SECRET"));
    let many = "eyJa.b://:@".repeat(20_000);
    assert!(filter_text(&many).len() <= 12 * many.len());
}

#[test]
fn values_behind_sensitive_names_are_replaced() {
    let rows = [
        ("", "", "nothing"),
        ("the token is valid", "the token is valid", "a name alone"),
        ("invalid token: unexpected end", "invalid token: unexpected end", "prose"),
        (
            "Login { user: \"eve\", password: \"hush\" }",
            "Login { user: \"eve\", password: [Filtered] }",
            "a struct",
        ),
        (
            "Login { password: Some(\"hush, }\"), user: 7 }",
            "Login { password: [Filtered], user: 7 }",
            "an option",
        ),
        (
            "Login {\n    api_key: \"hush\",\n    user: 7,\n}",
            "Login {\n    api_key: [Filtered],\n    user: 7,\n}",
            "on several lines",
        ),
        ("Login { pwd: \"a\\\"hush\", b: 1 }", "Login { pwd: [Filtered], b: 1 }", "an escaped quote"),
        ("Login { secrets: [\"hush\", \"hush\"], b: 1 }", "Login { secrets: [Filtered], b: 1 }", "a list"),
        ("Login { auth: Auth { a: \"hush\" }, b: 1 }", "Login { auth: [Filtered], b: 1 }", "a struct within"),
        ("Login { password: 1234, b: 1 }", "Login { password: [Filtered], b: 1 }", "a number"),
        ("Login { password: \"hush", "Login { password: [Filtered]", "a value that is cut"),
        ("password: hush", "password: [Filtered]", "a line"),
        (
            "{\"host\": \"a\", \"authorization\": \"Bearer hush\", \"cookie\": Sensitive}",
            "{\"host\": \"a\", \"authorization\": [Filtered], \"cookie\": [Filtered]}",
            "headers",
        ),
        (
            "[(\"host\", \"a\"), (\"x-api-key\", \"hush\")]",
            "[(\"host\", \"a\"), (\"x-api-key\", [Filtered])]",
            "headers in pairs",
        ),
        ("Some(\"Bearer hush\")", "Some(\"Bearer [Filtered]\")", "credentials in an option"),
        ("[\"a\", \"basic dTpodXNo\"]", "[\"a\", \"basic [Filtered]\"]", "credentials in a list"),
        ("refused Bearer h-u5sh, why", "refused Bearer [Filtered], why", "credentials in prose"),
        (
            "Bearer of bad news, Basic plan, \"Basic plan\"",
            "Bearer of bad news, Basic plan, \"Basic plan\"",
            "prose",
        ),
        ("(\n \"x-token\",\n \"hush\",\n)", "(\n \"x-token\",\n [Filtered],\n)", "a pair on several lines"),
        ("{\"token\":\n \"hush\"\n}", "{\"token\":\n [Filtered]\n}", "JSON on several lines"),
        ("{\"token\":\"hush\",\"n\":1}", "{\"token\":[Filtered],\"n\":1}", "JSON"),
        (
            "\"{\\\"token\\\":\\\"hush\\\",\\\"n\\\":1}\"",
            "\"{\\\"token\\\":[Filtered],\\\"n\\\":1}\"",
            "JSON in a string",
        ),
        ("user=eve&password=hush&b=1", "user=eve&password=[Filtered]&b=1", "a form"),
        ("\"password=hush\", b", "\"password=[Filtered]\", b", "a form in a string"),
        ("level=info session=hush b=1", "level=info session=[Filtered] b=1", "logfmt"),
        ("auth=Bearer hush b=1", "auth=[Filtered] b=1", "two words"),
        ("header Authorization: Bearer hush", "header Authorization: [Filtered]", "a header in prose"),
        ("creds: Password(\"hush\"), b", "creds: Password[Filtered], b", "a type"),
        (
            "Err(SessionExpired(\"yesterday\"))",
            "Err(SessionExpired(\"yesterday\"))",
            "a type that holds none",
        ),
        ("token: b\"hush\", n: 1", "token: [Filtered], n: 1", "bytes"),
        ("auth::login, key == 1, token => x", "auth::login, key == 1, token => x", "paths and comparisons"),
        ("cache.key: \"cart\"", "cache.key: \"cart\"", "a name of Sentry's conventions"),
        ("ä password: \"ö\\", "ä password: [Filtered]", "letters beyond ASCII"),
    ];
    for (text, shown, reason) in rows {
        assert_eq!(filter_pairs(text), shown, "{reason}");
        assert_eq!(filter_pairs(shown), shown, "{reason}, again");
    }
}

proptest! {
    #[test]
    fn pairs_never_panic(text in any::<String>(), near in r#"(password|token|Key|a|"|\\|:|=|\(|\)|\{|\}|\[|,| |é|\n|&){0,25}"#) {
        for text in [text, near] {
            let shown = filter_pairs(&text).into_owned();
            prop_assert_eq!(filter_pairs(&shown), &*shown);
        }
    }

    #[test]
    fn the_quick_search_agrees_with_the_plain_one(key in "[a-zA-Z_-]{0,12}(token|Key|sid|-IP|via)?[a-z-]{0,4}") {
        prop_assert_eq!(is_sensitive(&key), naive(&key, SENSITIVE_TERMS));
        prop_assert_eq!(is_personal(&key), naive(&key, PERSONAL_TERMS));
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>(), near in "[ a%&;=@:/?#\\\\0-9\u{e9}]{0,30}") {
        for text in [text, near] {
            let _ = (is_sensitive(&text), is_personal(&text), split_url(&text));
            let _ = (filtered(&text), filter_field("url", &text), filter_option(&text));
            let shown = filter_text(&text).into_owned();
            prop_assert_eq!(filter_text(&shown), shown.as_str(), "filtering is a fixpoint");
        }
    }

    #[test]
    fn a_harmless_query_is_copied_unchanged(query in "[a-d0-9=&;%+]{0,30}") {
        prop_assert_eq!(filtered(&query), query);
    }
}
