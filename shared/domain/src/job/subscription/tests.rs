use super::*;

fn subscription(text: &str) -> Result<SubscriptionText> {
    SubscriptionText::from_text(text, &Tiers::default())
}

#[test]
fn size_nesting_duplicates_and_numbers_are_limited() {
    let padded = |bytes: usize| {
        let (head, tail) = (r#"{"id":"s1","plan":{"tier":"BASIC","x":""#, r#""}}"#);
        format!("{head}{}{tail}", "x".repeat(bytes - head.len() - tail.len()))
    };
    assert!(subscription(&padded(65_536)).is_ok());
    assert!(matches!(subscription(&padded(65_537)), Err(Error::TooLarge(65_536))));
    let nested = |levels: usize| {
        let x = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"id":"s1","plan":{{"tier":"BASIC","x":{x}}}}}"#)
    };
    assert!(subscription(&nested(18)).is_ok());
    for (text, expected) in [
        (nested(19), (format!("/plan/x{}", "/0".repeat(18)), "maxDepth")),
        (
            r#"{"id":"s1","plan":{"tier":"PREMIUM"},"plan":{"tier":"BASIC"}}"#.to_owned(),
            ("/plan".to_owned(), "duplicateMember"),
        ),
        (
            r#"{"id":"s1","plan":{"tier":"BASIC","x":[99999999999999999999]}}"#.to_owned(),
            ("/plan/x/0".to_owned(), "format"),
        ),
    ] {
        let Error::Invalid(violations) = subscription(&text).unwrap_err() else { panic!() };
        let [only] = violations.as_slice() else { panic!("{violations:?}") };
        assert_eq!((only.path.clone(), only.code), expected);
    }
}

#[test]
fn the_text_is_kept_exactly() {
    let text = r#"{"id":"s1","startDate":"2026-01-01","plan":{"tier":"PREMIUM","price":12345678901234567.89,"x":{}}}"#;
    let kept = subscription(text).unwrap();
    assert_eq!(kept.raw().get(), text);
    assert_eq!(serde_json::to_value(&kept).unwrap(), json!(text));
    let stored: SubscriptionText = serde_json::from_value(json!(text)).unwrap();
    assert_eq!((stored.id(), stored.tier()), (kept.id(), kept.tier()));
    assert_eq!((kept.id(), kept.tier().as_str()), ("s1", "PREMIUM"));
}

#[test]
fn a_tier_gets_its_own_spelling_and_must_be_known() {
    for sent in ["premium", "Premium", "PREMIUM", r"pr\u0065mium"] {
        let text = format!(r#"{{"plan": {{"x":"tier","tier" : "{sent}" , "n":1.50}},"id":"s1"}}"#);
        let kept = subscription(&text).unwrap();
        assert_eq!(kept.tier().as_str(), "PREMIUM");
        assert_eq!(kept.raw().get(), text.replace(sent, "PREMIUM"));
    }
    for sent in ["gold", "PREMIUM ", "premium+", "PREMIUM-2"] {
        let text = format!(r#"{{"id":"s1","startDate":"x","plan":{{"tier":"{sent}"}}}}"#);
        let Error::Invalid(violations) = subscription(&text).unwrap_err() else { panic!() };
        let found: Vec<_> = violations.iter().map(|v| (v.path.as_str(), v.code)).collect();
        assert_eq!(found, [("/startDate", "format"), ("/plan/tier", "enum")], "{sent}");
        assert_eq!(violations[1].message, "must be one of BASIC, PREMIUM, STANDARD");
    }
}

#[test]
fn values_for_builds_cannot_break_out_of_quotes() {
    for (text, path) in [
        (r#"{"id":"a\"b","plan":{"tier":"BASIC"}}"#, "/id"),
        (r#"{"id":"$(id)","plan":{"tier":"BASIC"}}"#, "/id"),
        (r##"{"id":"s1","plan":{"tier":"#{variables.SECRET_ARN}"}}"##, "/plan/tier"),
    ] {
        let Error::Invalid(violations) = subscription(text).unwrap_err() else { panic!() };
        assert_eq!((violations[0].path.as_str(), violations[0].code), (path, "pattern"));
    }
}

#[test]
fn a_missing_id_is_reported_first_and_then_all_other_violations() {
    for text in ["{}", r#"{"id":null}"#, r#"{"id":"","plan":{}}"#] {
        let refused = subscription(text).unwrap_err();
        assert!(matches!(refused, Error::SubscriptionIdMissing), "{text}");
    }
    let text = r#"{"id":"s1","startDate":"soon","status":"1","plan":{},"colour":1}"#;
    let Error::Invalid(violations) = subscription(text).unwrap_err() else { panic!() };
    let found: Vec<_> = violations.iter().map(|v| (v.path.as_str(), v.code)).collect();
    assert_eq!(
        found,
        [
            ("/startDate", "format"),
            ("/status", "type"),
            ("/plan", "required"),
            ("", "additionalProperties"),
        ]
    );
}
