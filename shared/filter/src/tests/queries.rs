//! The queries of lists without a filter, and of searches.

use super::ITEM;
use crate::{Filter, PageQuery, SearchQuery};

#[test]
fn a_page_has_a_limit_and_a_cursor() {
    let read = |query: &str| PageQuery::from_query(query).map(|page| (page.limit, page.cursor));
    assert_eq!(read("").unwrap(), (100, None));
    assert_eq!(read("limit=1000&cursor=a%2Fb&_=1").unwrap(), (1000, Some("a/b".to_owned())));
    assert!(read("limit=1001").unwrap_err().to_string().starts_with("limit: "));
    assert_eq!(
        read("cursor=a&cursor=b").unwrap_err().to_string(),
        "cursor: must not be given more than once"
    );
    assert_eq!(read("cursor[a]=b").unwrap_err().to_string(), "cursor: does not support brackets");
}

#[test]
fn a_search_has_a_text_and_a_limit() {
    let read =
        |query: &str| SearchQuery::from_query(query).map(|search| (search.text, search.limit));
    assert_eq!(read("").unwrap(), (String::new(), 10));
    assert_eq!(read("q=Ada+Lovelace&limit=50").unwrap(), ("Ada Lovelace".to_owned(), 50));
    assert!(read("limit=51").unwrap_err().to_string().starts_with("limit: "));

    let longest = "ü".repeat(200);
    assert_eq!(read(&format!("q={longest}")).unwrap().0, longest);
    let message = read(&format!("q={longest}.")).unwrap_err().to_string();
    assert_eq!(message, "q: must have at most 200 characters");
}

#[test]
fn a_read_ignores_parameters_whose_name_is_not_text() {
    assert_eq!(PageQuery::from_query("%ff=1&limit=2").unwrap().limit, 2);
    assert!(PageQuery::from_query("limit=%ff").is_err());
}

#[test]
fn a_filter_is_given_in_one_notation() {
    for query in ["filter[limit]=1&filter={}", "filter={}&filter[limit]=1", "filter={}&filter={}"] {
        let message = Filter::from_query(query, &ITEM).unwrap_err().to_string();
        assert_eq!(message, "filter: must not be given more than once");
    }
}
