use super::*;

#[test]
fn the_text_of_a_number_is_found_by_path() {
    let text = r#" {"a/b": [1, {"\u0061": 1.50E+1 }], "a": 1, "a": 12345678901234567.89} "#;
    assert_eq!(text_at(text, "/a~1b/1/a"), Some("1.50E+1"));
    assert_eq!(text_at(text, "/a~1b/0"), Some("1"));
    assert_eq!(text_at(text, "/a"), Some("12345678901234567.89"));
    assert_eq!(text_at(text, "/b"), None);
    assert_eq!(text_at(" 7 ", ""), Some("7"));
}
