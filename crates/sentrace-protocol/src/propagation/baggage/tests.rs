use proptest::prelude::*;

use super::*;

fn copy(fields: &[&[u8]]) -> String {
    let mut into = String::new();
    copy_sentry_members(fields.iter().copied(), &mut into);
    into
}

#[test]
fn only_sentrys_valid_members_are_copied() {
    let rows: [(&[&[u8]], &str, &str); 18] = [
        (&[], "", "no header"),
        (&[b""], "", "an empty header"),
        (&[b"sentry-a=1"], "sentry-a=1", "one member"),
        (&[b"other=1,sentry-a=1,third=2"], "sentry-a=1", "other tools' members are not passed on"),
        (&[b" sentry-a=1 ,\tsentry-b=2\t"], "sentry-a=1,sentry-b=2", "blanks around members go"),
        (&[b"sentry-a=1", b"x=1", b"sentry-b=2"], "sentry-a=1,sentry-b=2", "several headers"),
        (&[b",,sentry-a=1,,"], "sentry-a=1", "empty members"),
        (&[b"sentry-a,sentry-b=2"], "sentry-b=2", "a member without ="),
        (&[b"Sentry-a=1,SENTRY-b=2"], "", "the prefix is lower case"),
        (&[b"xsentry-a=1,sentry=1"], "", "the prefix is whole and at the start"),
        (&[b"sentry-a=%zz;p=1"], "sentry-a=%zz;p=1", "nothing is decoded, properties stay"),
        (&["sentry-a=\u{e9},sentry-b=2".as_bytes()], "sentry-b=2", "not ASCII"),
        (&[b"sentry-a=\xff,sentry-b=2"], "sentry-b=2", "not UTF-8; the others survive"),
        (&[b"sentry-a=\x01,sentry-b=2"], "sentry-b=2", "not printable"),
        (&[b"sentry-a\t=\t1,sentry-b=2"], "sentry-a\t=\t1,sentry-b=2", "tabs around the ="),
        (&[b"\tsentry-a =\t 1\t,sentry-b=2"], "sentry-a =\t 1,sentry-b=2", "tabs and blanks"),
        (&[b"sentry-a=1\t;\tp\t=\t1"], "sentry-a=1\t;\tp\t=\t1", "tabs around properties"),
        (&[b"sentry-a=\x0b1,sentry-b=2"], "sentry-b=2", "a vertical tab is no blank"),
    ];
    for (fields, expected, reason) in rows {
        assert_eq!(copy(fields), expected, "{reason}");
    }
}

#[test]
fn copying_stops_at_64_members_and_8192_bytes() {
    let many = (0..100).map(|i| format!("sentry-k{i}=v")).collect::<Vec<_>>().join(",");
    assert_eq!(copy(&[many.as_bytes()]).split(',').count(), MAX_MEMBERS);
    let many = many.as_bytes();
    assert_eq!(copy(&[&many[..300], many]).split(',').count(), MAX_MEMBERS, "over all headers together");

    let just = format!("sentry-a={}", "x".repeat(MAX_BYTES - 9));
    assert_eq!(copy(&[just.as_bytes()]).len(), MAX_BYTES, "exactly the limit");
    let over = format!("sentry-a={},sentry-b=1", "x".repeat(MAX_BYTES));
    assert_eq!(copy(&[over.as_bytes()]), "sentry-b=1", "a later member may still fit");
    let huge = format!("sentry-a={}", "x".repeat(5_000_000));
    assert_eq!(copy(&[huge.as_bytes()]), "", "an oversized member costs no memory");
}

#[test]
fn headers_handed_over_one_by_one_share_the_limits() {
    let header =
        |letter: char| (0..40).map(|i| format!("sentry-{letter}{i}=v")).collect::<Vec<_>>().join(",");
    let (first, second) = (header('a'), header('b'));
    let mut into = String::new();
    for field in [&first, &second] {
        copy_sentry_members([field.as_bytes()].into_iter(), &mut into);
    }
    assert_eq!(into.split(',').count(), MAX_MEMBERS);
    assert_eq!(into, copy(&[first.as_bytes(), second.as_bytes()]));

    let before = into.clone();
    copy_sentry_members([&b"sentry-c=1"[..]].into_iter(), &mut into);
    assert_eq!(into, before, "there is no room left");
}

#[test]
fn both_readers_of_a_key_agree_about_blanks() {
    let rows = [
        ("sentry-org_id =1", Some("1"), "blanks before the ="),
        ("sentry- org_id=1", None, "blanks behind the prefix are the key's"),
        ("sentry-org_id\t=\t1\t", Some("1"), "tabs are blanks"),
        ("sentry-org_id \t= \t1;p=2", Some("1"), "of any number"),
    ];
    for (header, expected, reason) in rows {
        assert_eq!(member(header, "org_id"), expected, "{reason}");
        let context = crate::DynamicSamplingContext::from_baggage(header);
        assert_eq!(context.get("org_id"), expected, "{reason}");
    }
}

#[test]
fn a_decoded_member_is_what_the_context_has() {
    let rows = [
        ("sentry-a=1,sentry-release=shop%401", "release", "a value that is encoded"),
        ("sentry-rel%65ase=1", "release", "a key that is encoded"),
        ("sentry-release=1,sentry-rele%61se=2", "release", "both spellings: the last wins"),
        ("sentry-rele%61se=1,sentry-release=2", "release", "and the other way round"),
        ("sentry-release=1,sentry-release=%zz", "release", "the last that can be decoded"),
        ("sentry-releas%zz=1", "release", "a key that cannot be decoded"),
        ("sentry-release_2=1,sentry-releas=2", "release", "longer and shorter keys"),
        ("sentry-release\t=\t1;p=2", "release", "tabs and properties"),
        ("release=1", "release", "another tool's"),
        ("sentry-a%3Db=1,sentry-a=b=2", "a=b", "a key that can only be written encoded"),
        ("sentry-a%25b=1", "a%b", "a key with a percent sign"),
        ("sentry-a%20=1,sentry-a =2", "a ", "a key that ends with a blank"),
        ("sentry-release", "release", "no value"),
        ("", "release", "nothing"),
    ];
    for (header, key, reason) in rows {
        let context = crate::DynamicSamplingContext::from_baggage(header);
        assert_eq!(decoded_member(header, key).as_deref(), context.get(key), "{reason}");
    }
}

#[test]
fn only_sentrys_members_count_as_unusable() {
    let rows: [(&[u8], usize, &str); 6] = [
        (b"sentry-a=1", 0, "one that can be used"),
        (b"other,other=\xff,,x=1", 0, "other tools' are none of our business"),
        (b"sentry-a", 1, "without a value"),
        (b"sentry-a=\x01,sentry-b=2", 1, "not printable"),
        ("sentry-a=\u{e9},x=1".as_bytes(), 1, "not ASCII"),
        (b"Sentry-a=1", 0, "the prefix is lower case"),
    ];
    for (field, unusable, reason) in rows {
        assert_eq!(copy_sentry_members(std::iter::once(field), &mut String::new()), unusable, "{reason}");
    }
}

#[test]
fn a_member_is_found_by_its_key() {
    let header =
        "a=1, sentry-trace_id = abc ;p=q,sentry-sampled=true,sentry-sampled=false,sentry-e=,sentry-n";
    let rows = [
        ("trace_id", Some("abc"), "blanks and properties go"),
        ("sampled", Some("false"), "the last of two, as everybody reads it"),
        ("e", Some(""), "an empty value"),
        ("n", None, "no value"),
        ("a", None, "another tool's"),
        ("trace", None, "not by prefix"),
    ];
    for (key, expected, reason) in rows {
        assert_eq!(member(header, key), expected, "{reason}");
    }
}

#[test]
fn decoding_is_strict() {
    let rows = [
        ("", Some(""), "empty"),
        ("a+b", Some("a+b"), "plus is a plus"),
        ("%2F%2f", Some("//"), "digits of either case"),
        ("%C3%A9", Some("\u{e9}"), "two bytes, one character"),
        ("%", None, "no digits"),
        ("%4", None, "one digit"),
        ("%4g", None, "no hexadecimal digit"),
        ("%+1", None, "a sign is no digit"),
        ("%ff", None, "not UTF-8"),
    ];
    for (text, expected, reason) in rows {
        assert_eq!(decode(text).as_deref(), expected, "{reason}");
    }
}

#[test]
fn ours_replaces_older_sentry_members_and_leaves_the_rest_alone() {
    let rows: [(&[&[u8]], &str, &str, &str); 9] = [
        (&[], "sentry-a=1", "sentry-a=1", "nothing there"),
        (&[], "", "", "nothing at all"),
        (&[b"t=7"], "", "t=7", "nothing of ours"),
        (&[b"t=7"], "sentry-a=1", "t=7,sentry-a=1", "appended"),
        (&[b"t=7; p=1 ,u=%20"], "sentry-a=1", "t=7; p=1,u=%20,sentry-a=1", "properties and encoding stay"),
        (&[b"sentry-a=0,t=7,sentry-b=0"], "sentry-a=1", "t=7,sentry-a=1", "older ones go"),
        (&[b"sentry-a=0"], "", "", "older ones go even without newer"),
        (&[b"t=7", b"u=8"], "sentry-a=1", "t=7,u=8,sentry-a=1", "several headers become one"),
        (
            &["t=\u{e9},u=\"x y\"".as_bytes()],
            "sentry-a=1",
            "t=\u{e9},u=\"x y\",sentry-a=1",
            "kept though odd",
        ),
    ];
    for (existing, ours, expected, reason) in rows {
        assert_eq!(merge(existing.iter().copied(), ours), expected, "{reason}");
    }
}

#[test]
fn what_a_context_can_do_without_goes_first() {
    let context = "sentry-release=shop%401,sentry-trace_id=t,sentry-transaction=GET,sentry-sampled=true";
    let [no_name, neither] = [
        "sentry-release=shop%401,sentry-trace_id=t,sentry-sampled=true",
        "sentry-trace_id=t,sentry-sampled=true",
    ];
    let rows = [
        (context.len(), 64, Some(context), "just enough room"),
        (context.len() - 1, 64, Some(no_name), "a byte short"),
        (no_name.len(), 64, Some(no_name), "the name is enough"),
        (no_name.len() - 1, 64, Some(neither), "the release goes, too"),
        (neither.len() - 1, 64, None, "half of a context is worse than none"),
        (8192, 3, Some(no_name), "members count as well"),
        (8192, 2, Some(neither), "two members"),
        (8192, 1, None, "one is too few"),
        (0, 0, None, "no room at all"),
    ];
    for (bytes, members, expected, reason) in rows {
        assert_eq!(fit(context, bytes, members).as_deref(), expected, "{reason}");
        let theirs = format!("t={}", "x".repeat(MAX_BYTES.saturating_sub(bytes + 3)));
        if bytes > 0 && members == 64 {
            let expected = expected.map_or_else(|| theirs.clone(), |ours| format!("{theirs},{ours}"));
            assert_eq!(merge([theirs.as_bytes()].into_iter(), context), expected, "merged: {reason}");
        }
    }
    assert_eq!(fit("sentry-%74ransaction=x,sentry-a=1", 12, 64).as_deref(), Some("sentry-a=1"), "encoded");
    assert_eq!(fit("", 0, 0).as_deref(), Some(""), "nothing fits everywhere");
}

#[test]
fn what_comes_in_beyond_the_limits_loses_first_what_it_can_do_without() {
    let long = |key: &str, bytes: usize| format!("sentry-{key}={}", "x".repeat(bytes));
    let many = (0..70).map(|i| format!("sentry-k{i}=v")).collect::<Vec<_>>().join(",");
    let rows: [(String, usize, &str, &str); 6] = [
        ("sentry-a=1,sentry-transaction=x".into(), 0, "sentry-a=1,sentry-transaction=x", "all fits"),
        (
            format!("{},sentry-release=r,sentry-trace_id=t", long("transaction", 8170)),
            0,
            "sentry-release=r,sentry-trace_id=t",
            "the name is what is too long",
        ),
        (
            format!("{},{},sentry-trace_id=t", long("release", 8170), long("transaction", 10)),
            0,
            "sentry-trace_id=t",
            "the release is",
        ),
        (
            format!("{},sentry-b=2,sentry-transaction=x", long("a", 9000)),
            1,
            "sentry-b=2,sentry-transaction=x",
            "leaving out the name would not help",
        ),
        ("sentry-b=\u{e9},sentry-transaction=x".into(), 1, "sentry-transaction=x", "nor here"),
        (format!("{many},sentry-transaction=x"), 6, &many[..many.find(",sentry-k64").unwrap()], "members"),
    ];
    for (field, unusable, expected, reason) in &rows {
        let mut into = String::new();
        let lost = copy_sentry_members_within_limits([field.as_bytes()].into_iter(), &mut into);
        assert_eq!((lost, &*into), (*unusable, *expected), "{reason}");
    }
}

#[test]
fn ours_is_left_out_whole_where_it_does_not_fit() {
    let large = format!("t={}", "x".repeat(MAX_BYTES - 13));
    let fits = merge([large.as_bytes()].into_iter(), "sentry-a=1");
    assert_eq!(fits.len(), MAX_BYTES, "exactly the limit");
    let over = merge([large.as_bytes()].into_iter(), "sentry-a=1,sentry-b=2");
    assert_eq!(over, large, "not even the part that would fit");

    let many = (0..63).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
    assert!(merge([many.as_bytes()].into_iter(), "sentry-a=1").ends_with(",sentry-a=1"));
    assert_eq!(merge([many.as_bytes()].into_iter(), "sentry-a=1,sentry-b=2"), many, "65 members");
}

proptest! {
    #[test]
    fn decoding_undoes_encoding(value in any::<String>()) {
        let mut encoded = String::new();
        encode_into(&value, &mut encoded);
        prop_assert!(encoded.bytes().all(|byte| byte == b'%' || is_unreserved(byte)), "{}", encoded);
        let decoded = decode(&encoded);
        prop_assert_eq!(decoded.as_deref(), Some(&value[..]));
    }

    #[test]
    fn the_copy_of_a_whole_field_agrees_with_the_copy_by_members(
        fields in proptest::collection::vec("(sentry-[a-c]=[a-z ]{0,9},?|sentry-d,|x=1,| |,|\u{e9}){0,9}", 0..4)
    ) {
        let members = fields.iter().flat_map(|field| field.split(',')).map(trim);
        let plain: Vec<_> = members
            .filter(|member| member.starts_with("sentry-") && member.contains('=') && member.is_ascii())
            .collect();
        prop_assert_eq!(copy(&fields.iter().map(String::as_bytes).collect::<Vec<_>>()), plain.join(","));
    }

    #[test]
    fn merging_keeps_every_third_party_member(
        fields in proptest::collection::vec("([a-z]{1,3}=[a-zA-Z0-9;= %]{0,8}|sentry-[a-z]=1|,| |\t){0,6}", 0..4)
    ) {
        let fields: Vec<&[u8]> = fields.iter().map(String::as_bytes).collect();
        let joined = fields.join(&b","[..]);
        let third_party = |text: &str| -> Vec<String> {
            let members = text.split(',').map(|member| trim(member).to_owned());
            members.filter(|member| !member.is_empty() && !member.starts_with("sentry-")).collect()
        };
        let merged = merge(fields.iter().copied(), "sentry-z=1");
        prop_assert_eq!(third_party(&merged), third_party(std::str::from_utf8(&joined).unwrap()));
        prop_assert_eq!(merged.split(',').filter(|member| member.starts_with("sentry-")).count(), 1);
        prop_assert!(merged.ends_with("sentry-z=1"));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        fields in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..4)
    ) {
        let copied = copy(&fields.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert!(copied.len() <= MAX_BYTES);
        let merged = merge(fields.iter().map(Vec::as_slice), &copied);
        let _ = (member(&merged, "a"), decode(&merged));
    }
}
