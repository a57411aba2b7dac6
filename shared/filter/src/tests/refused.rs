//! Every kind of invalid input, with its exact error message.

use super::{ITEM, encode};
use crate::BadParameter;
use crate::{Filter, Where};

fn refusal(query: &str) -> String {
    match Filter::from_query(query, &ITEM) {
        Err(BadParameter(message)) => message,
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn unknown_names_are_refused() {
    for (query, message) in [
        (
            "filter[wher][size]=1",
            "filter.wher: is not a member of a filter (supported: where, order, limit, skip, offset, fields, include)",
        ),
        (
            "filter[cursor]=x",
            "filter.cursor: is not a member of a filter (supported: where, order, limit, skip, offset, fields, include)",
        ),
        ("filter[where][sise]=1", "filter.where.sise: is not a property of Item"),
        ("filter[where][parts]=1", "filter.where.parts: is not a property of Item"),
        ("filter[where][meta.a]=1", "filter.where.meta.a: is not a property of Item"),
        ("filter[where][nor][0][size]=1", "filter.where.nor: is not a property of Item"),
        ("filter[where][or][0][sise]=1", "filter.where.or.0.sise: is not a property of Item"),
        (
            "filter[where][size][gtt]=1",
            "filter.where.size.gtt: is not an operator (supported: eq, neq, gt, gte, lt, lte, between, inq, nin, like, nlike, ilike, nilike, regexp, exists, contains)",
        ),
        (
            "filter[where][meta][a]=1",
            "filter.where.meta.a: is not an operator (supported: eq, neq, gt, gte, lt, lte, between, inq, nin, like, nlike, ilike, nilike, regexp, exists, contains)",
        ),
        ("filter[order]=sise", "filter.order.sise: is not a property of Item"),
        (
            "filter[order][0]=size+UP",
            "filter.order.0: \"size UP\" is not a property with an optional ASC or DESC",
        ),
        (
            "filter[order]=size+ASC,+name",
            "filter.order: \"size ASC, name\" is not a property with an optional ASC or DESC",
        ),
        ("filter[order]=", "filter.order: \"\" is not a property with an optional ASC or DESC"),
        ("filter[fields][]=sise", "filter.fields.sise: is not a property of Item"),
        ("filter[fields][sise]=true", "filter.fields.sise: is not a property of Item"),
        (
            "filter[include][]=part",
            "filter.include.0: \"part\" is not a relation of Item (supported: parts, owner)",
        ),
        (
            "filter[include][0][relation]=parts&filter[include][0][scop][limit]=1",
            "filter.include.0.scop: is not a member of an inclusion (supported: relation, scope)",
        ),
        (
            "filter[include][0][relation]=parts&filter[include][0][scope][where][size]=1",
            "filter.include.0.scope.where.size: is not a property of Part",
        ),
    ] {
        assert_eq!(refusal(query), message);
    }
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    for (conditions, message) in [
        (r#"{"size":"1"}"#, "filter.where.size: must be a number or null"),
        (r#"{"size":true}"#, "filter.where.size: must be a number or null"),
        (r#"{"size":[1]}"#, "filter.where.size: must be a number or null"),
        (r#"{"name":1}"#, "filter.where.name: must be a string or null"),
        (r#"{"open":"true"}"#, "filter.where.open: must be true or false or null"),
        (r#"{"open":0}"#, "filter.where.open: must be true or false or null"),
        (r#"{"price":"1,5"}"#, "filter.where.price: must be a number or null"),
        (r#"{"id":"1"}"#, "filter.where.id: must be a UUID or null"),
        (r#"{"id":"6b2f0d5c6b1e4a559d2c0d3b1f9a7e21"}"#, "filter.where.id: must be a UUID or null"),
        (r#"{"email":1}"#, "filter.where.email: must be a string or null"),
        (r#"{"hosts":"a.test"}"#, "filter.where.hosts: must be an array or null"),
        (
            r#"{"createdOn":1}"#,
            "filter.where.createdOn: must be a date or a date-time (RFC 3339) or null",
        ),
        (
            r#"{"createdOn":"2026-13-01"}"#,
            "filter.where.createdOn: must be a date or a date-time (RFC 3339) or null",
        ),
        (
            r#"{"createdOn":"2026-01-01T00:00:00"}"#,
            "filter.where.createdOn: must be a date or a date-time (RFC 3339) or null",
        ),
        (r#"{"tags":"x"}"#, "filter.where.tags: must be an array or null"),
        (r#"{"meta":1}"#, "filter.where.meta: must be an object or null"),
        (r#"{"size":{"eq":"1"}}"#, "filter.where.size.eq: must be a number or null"),
        (r#"{"size":{"gt":null}}"#, "filter.where.size.gt: must be a number"),
        (r#"{"size":{"inq":1}}"#, "filter.where.size.inq: must be an array"),
        (r#"{"size":{"inq":[1,"2"]}}"#, "filter.where.size.inq.1: must be a number or null"),
        (
            r#"{"size":{"between":[1]}}"#,
            "filter.where.size.between: must be an array of two values",
        ),
        (r#"{"size":{"between":[1,null]}}"#, "filter.where.size.between.1: must be a number"),
        (r#"{"size":{"like":"1"}}"#, "filter.where.size.like: does not apply to a number property"),
        (
            r#"{"name":{"contains":"x"}}"#,
            "filter.where.name.contains: does not apply to a text property",
        ),
        (r#"{"open":{"gt":false}}"#, "filter.where.open.gt: does not apply to a boolean property"),
        (r#"{"tags":{"lt":[]}}"#, "filter.where.tags.lt: does not apply to an array property"),
        (
            r#"{"tags":{"contains":null}}"#,
            "filter.where.tags.contains: must be a value or an array",
        ),
        (r#"{"name":{"like":1}}"#, "filter.where.name.like: must be a string"),
        (r#"{"name":{"like":"a\\"}}"#, "filter.where.name.like: must not end with \\"),
        (r#"{"name":{"exists":1}}"#, "filter.where.name.exists: must be true or false"),
        (r#"{"size":{}}"#, "filter.where.size: must have an operator"),
        (r#"{"or":7}"#, "filter.where.or: must be an array of conditions"),
        (r#"{"and":{"size":1}}"#, "filter.where.and: must be an array of conditions"),
        (r#"{"or":[{},{"sise":1}]}"#, "filter.where.or.1.sise: is not a property of Item"),
        (r#"{"or":[1]}"#, "filter.where.or.0: must be an object"),
        ("null", "filter.where: must be an object"),
        (r#"{"size":1,"size":2}"#, "filter.where.size: must not be given more than once"),
        (r#"{"size":1e99999999999}"#, "filter.where.size: 1e99999999999 is not a supported number"),
    ] {
        let query = format!("filter={}", encode(&format!(r#"{{"where":{conditions}}}"#)));
        assert_eq!(refusal(&query), message);
    }
}

#[test]
fn an_invalid_pattern_is_refused() {
    for (pattern, message) in [
        ("(", "is not a valid regular expression: unclosed group"),
        (
            "a{2,1}",
            "is not a valid regular expression: invalid repetition count range, the start must be <= the end",
        ),
        (r"(a)\1", "is not a valid regular expression: backreferences are not supported"),
        (
            "(?=a)",
            "is not a valid regular expression: look-around, including look-ahead and look-behind, is not su…",
        ),
        ("/a/x", "must not have flags other than g, i, m, s and u"),
        (
            "(a{1000}){1000}",
            "is too large. Use fewer or smaller repetitions and character classes.",
        ),
        (r"\w{500}", "is too large. Use fewer or smaller repetitions and character classes."),
        (&"a".repeat(1001), "must not be longer than 1000 characters"),
    ] {
        let query = format!("filter[where][name][regexp]={}", encode(pattern));
        assert_eq!(refusal(&query), format!("filter.where.name.regexp: {message}"));
    }
}

#[test]
fn a_member_of_the_wrong_type_is_refused() {
    for (filter, message) in [
        ("x", "filter: is not valid JSON: expected value at line 1 column 1"),
        (
            r#"{"limit":1"#,
            "filter: is not valid JSON: EOF while parsing an object at line 1 column 10",
        ),
        (r#"{"limit":1}}"#, "filter: is not valid JSON: trailing characters at line 1 column 12"),
        (
            r#"{"order":"\ud800"}"#,
            "filter.order: is not valid JSON: unexpected end of hex escape at line 1 column 8",
        ),
        ("[]", "filter: must be an object"),
        ("null", "filter: must be an object"),
        (r#"{"limit":0}"#, "filter.limit: must be a whole number from 1 to 1000"),
        (r#"{"limit":1001}"#, "filter.limit: must be a whole number from 1 to 1000"),
        (r#"{"limit":-1}"#, "filter.limit: must be a whole number from 1 to 1000"),
        (r#"{"limit":1.5}"#, "filter.limit: must be a whole number from 1 to 1000"),
        (r#"{"limit":"1"}"#, "filter.limit: must be a whole number from 1 to 1000"),
        (r#"{"limit":1e400}"#, "filter.limit: must be a whole number from 1 to 1000"),
        (r#"{"skip":-1}"#, "filter.skip: must be a whole number from 0 to 4294967295"),
        (r#"{"offset":"a"}"#, "filter.offset: must be a whole number from 0 to 4294967295"),
        (r#"{"skip":1,"offset":1}"#, "filter.offset: is an alias of skip. Use only one of them."),
        (r#"{"order":1}"#, "filter.order: must be a string"),
        (r#"{"order":["id",1]}"#, "filter.order.1: must be a string"),
        (r#"{"order":["id","id DESC"]}"#, "filter.order.1: must not name id more than once"),
        (r#"{"order":"meta"}"#, "filter.order: meta is an object, which can't be sorted by"),
        (r#"{"fields":"id"}"#, "filter.fields: must be an array or an object"),
        (r#"{"fields":[1]}"#, "filter.fields.0: must be a string"),
        (r#"{"fields":{"id":1}}"#, "filter.fields.id: must be true or false"),
        (
            r#"{"include":1}"#,
            "filter.include: must be the name of a relation, or an object with `relation`",
        ),
        (
            r#"{"include":[{"scope":{}}]}"#,
            "filter.include.0: must be the name of a relation, or an object with `relation`",
        ),
        (
            r#"{"include":["parts","parts"]}"#,
            "filter.include.1: must not name parts more than once",
        ),
        (
            r#"{"include":[{"relation":"parts","scope":1}]}"#,
            "filter.include.0.scope: must be an object",
        ),
    ] {
        assert_eq!(refusal(&format!("filter={}", encode(filter))), message);
    }
}

#[test]
fn an_invalid_query_is_refused() {
    for (query, message) in [
        ("limit=0", "limit: must be a whole number from 1 to 1000"),
        ("limit=", "limit: must be a whole number from 1 to 1000"),
        ("limit=1&limit=2", "limit: must not be given more than once"),
        ("limit[]=1", "limit: does not support brackets"),
        ("limit=1&filter[limit]=1", "limit: is also given in the filter. Use only one of them."),
        ("cursor=a&cursor=b", "cursor: must not be given more than once"),
        ("filter={}&filter={}", "filter: must not be given more than once"),
        ("filter={}&filter[limit]=1", "filter: must not be given more than once"),
        ("filter[limit]=1&filter[limit]=1", "filter.limit: must be a whole number from 1 to 1000"),
        ("filter[where", "filter: has unclosed brackets"),
        ("filter[where]x=1", "filter: has unclosed brackets"),
        ("filter[[where]]=1", "filter: has unclosed brackets"),
        ("filter[where]=1&filter[where][size]=1", "filter.where: has conflicting brackets"),
        ("filter[where][size]=1&filter[where]=1", "filter.where: mixes array positions and names"),
        (
            "filter[where][size]=1&filter[where][size]=2",
            "filter.where.size: must be a number or null",
        ),
        (
            "filter[where][0]=1&filter[where][size]=1",
            "filter.where: mixes array positions and names",
        ),
        ("filter[where][size]=one", "filter.where.size: must be a number or null"),
        ("filter[where][open]=1", "filter.where.open: must be true or false or null"),
        (
            "filter[where][size][between]=1",
            "filter.where.size.between: must be an array of two values",
        ),
        ("filter=%FF", "the query string is not valid UTF-8: %FF"),
    ] {
        assert_eq!(refusal(query), message);
    }
}

#[test]
fn single_entities_and_counts_support_fewer_parameters() {
    let error = Filter::from_entity_query("filter[where][size]=1", &ITEM).unwrap_err();
    assert_eq!(error.to_string(), "filter.where: can't be combined with an ID in the path");
    for (query, message) in [
        ("where[sise]=1", "where.sise: is not a property of Item"),
        ("where[]=1", "where: must be an object"),
    ] {
        assert_eq!(Where::from_query(query, &ITEM).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_bulk_update_matches_everything_only_with_an_empty_where() {
    for (query, message) in [
        ("", "where: is required"),
        ("where=", "where: is required"),
        ("where=%20", "where: is required"),
        ("filter={}", "filter: is not a parameter of this route (supported: where)"),
        ("where={}&_=1", "_: is not a parameter of this route (supported: where)"),
        ("where={}&%FF=1", "the query string is not valid UTF-8: %FF"),
        (r#"where={"and":[]}"#, "where.and: must be an array of at least one condition"),
        (r#"where={"or":[]}"#, "where.or: must be an array of at least one condition"),
        (r#"where={"or":[{}]}"#, "where.or.0: must have a condition"),
        (r#"where={"size":1,"or":[{"size":1},{}]}"#, "where.or.1: must have a condition"),
        (
            r#"where={"and":[{"or":[{"size":1},{"and":[]}]}]}"#,
            "where.and.0.or.1.and: must be an array of at least one condition",
        ),
    ] {
        assert_eq!(Where::from_update_query(query, &ITEM).unwrap_err().to_string(), message);
    }
    assert!(Where::from_update_query("where={}", &ITEM).unwrap().is_everything());
    let some = Where::from_update_query("where[size][inq]=1&where[size][inq]=2", &ITEM);
    assert_eq!(some, Where::from_query(r#"where={"size":{"inq":[1,2]}}"#, &ITEM));
}

#[test]
fn errors_truncate_long_input() {
    let long = "a".repeat(100_000);
    for query in [
        format!("filter[where][{long}]=1"),
        format!("filter[where][size][{long}]=1"),
        format!("filter[order]={long}+{long}"),
        format!("filter[include]={long}"),
        format!("filter[where][name][regexp]=({long}"),
    ] {
        assert!(refusal(&query).len() < 300);
    }
}
