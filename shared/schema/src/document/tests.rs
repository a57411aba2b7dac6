use proptest::prelude::*;

use super::*;

fn violations(text: &str, limits: Limits) -> Vec<String> {
    let document = Document::parse(text.to_owned(), limits).unwrap();
    document
        .violations
        .iter()
        .map(|violation| format!("{} {}", violation.path, violation.code))
        .collect()
}

#[test]
fn duplicate_members_are_reported_with_their_path() {
    for (text, expected) in [
        (r#"{"a":1,"a":2}"#, vec!["/a duplicateMember"]),
        (r#"{"a":1,"\u0061":2,"a":3}"#, vec!["/a duplicateMember"]),
        (r#"[{"x":{"a/b":1,"~":[],"a/b":2}}]"#, vec!["/0/x/a~1b duplicateMember"]),
        (
            r#"{"":1,"":{}, "b" : {"c":1 , "c":1}}"#,
            vec!["/ duplicateMember", "/b/c duplicateMember"],
        ),
        (r#"{"a":{"b":1},"b":{"a":1},"A":1}"#, vec![]),
    ] {
        assert_eq!(violations(text, Limits::BODY), expected, "{text}");
    }
}

#[test]
fn levels_are_counted_from_the_outermost_object() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let limits = Limits::forwarded(3);
    assert_eq!(violations(&nested(3), limits), Vec::<String>::new());
    assert_eq!(violations(&nested(4), limits), ["/0/0/0 maxDepth"]);
    assert_eq!(
        violations(r#"[[[{"a":"]\"}"},"x"],[[]]],[]]"#, limits),
        ["/0/0/0 maxDepth", "/0/1/0 maxDepth"]
    );
    // Far deeper than a recursive parser can read.
    assert_eq!(violations(&nested(100_000), Limits::BODY).len(), 1);
}

#[test]
fn forwarded_numbers_must_be_storable() {
    let limits = Limits::forwarded(20);
    for number in [
        "0",
        "-0",
        "9223372036854775807",
        "-9223372036854775808",
        "1e125",
        "9.99e125",
        "1E-130",
        "-1e-130",
        "0.0",
        "0e9",
        "12345678901234567.89",
        "1.0",
        "1e25",
    ] {
        assert_eq!(violations(number, limits), Vec::<String>::new(), "{number}");
    }
    for number in ["9223372036854775808", "-9223372036854775809", "99999999999999999999999"] {
        assert_eq!(violations(&format!("[{number}]"), limits), ["/0 format"], "{number}");
    }
    for number in ["1e126", "-1e126", "1e400", "9.9e-131", "1e99999999999", "1e-99999999999"] {
        assert_eq!(violations(&format!("[{number}]"), limits), ["/0 format"], "{number}");
        assert_eq!(violations(number, Limits::BODY), Vec::<String>::new(), "{number}");
    }
}

#[test]
fn stored_integers_have_64_bits_with_or_without_a_sign() {
    for number in ["12345678901234567891", "18446744073709551615", "-9223372036854775808"] {
        assert_eq!(violations(number, Limits::NUMBERS), Vec::<String>::new(), "{number}");
    }
    for number in ["18446744073709551616", "-9223372036854775809"] {
        assert_eq!(violations(&format!("[{number}]"), Limits::NUMBERS), ["/0 format"], "{number}");
    }
}

#[test]
fn values_below_the_checked_level_are_never_refused() {
    let hostile = r#"{"a":[1e400,99999999999999999999,{"":1,"":2}],"b":"\ud800","\udfff":1,"b":1}"#;
    let text = format!(r#"{{"d":{{"r":[{{"m":{hostile}}}]}}}}"#);
    let document = Document::parse(text, Limits::REPORT).unwrap();
    assert!(document.violations.is_empty(), "{:?}", document.violations);
    assert_eq!(document.value["d"]["r"][0]["m"]["a"], Value::Null);
    assert_eq!(
        violations(r#"{"a":["\ud800"],"\udfff":1}"#, Limits::BODY),
        ["/a/0 format", " format"]
    );
}

#[test]
fn violations_are_limited_to_1000_and_paths_to_1024_bytes() {
    let long = "x".repeat(2000);
    let twice = (0..5000).map(|n| format!(r#""{n}":1,"{n}":1"#)).collect::<Vec<_>>().join(",");
    let text = format!(r#"{{"a":{{"{long}":{{{twice}}}}}}}"#);
    let Err(Invalid(violations)) = Document::parse(text, Limits::BODY).unwrap().read::<bool>()
    else {
        panic!()
    };
    assert_eq!((violations.len(), violations[0].path.as_str()), (1000, "/a"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn valid_json_is_parsed_like_serde_json(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { format!("\n {value:#}\t") } else { value.to_string() };
        let document = Document::parse(text.clone(), Limits::BODY).unwrap();
        prop_assert_eq!(&document.value, &serde_json::from_str::<Value>(&text).unwrap());
        prop_assert!(document.violations.is_empty());
    }

    #[test]
    fn invalid_json_is_refused_like_serde_json(text in r#"[\[\]{}",:0-9eE.+\-a\\ ]{0,24}"#) {
        let known: serde_json::Result<Value> = serde_json::from_str(&text);
        let read = Document::parse(text, Limits::BODY);
        prop_assert!(known.is_err() || read.is_ok());
        prop_assert_eq!(known.as_ref().ok(), read.as_ref().ok().filter(|_| known.is_ok()).map(|read| &read.value));
    }
}
