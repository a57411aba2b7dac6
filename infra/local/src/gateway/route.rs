use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use web::route_matches;

use crate::template::Route;

/// The routes of the API, the most specific first.
#[derive(Clone, Debug)]
pub(crate) struct Routes(Vec<Route>);

impl Routes {
    pub(crate) fn new<'a>(routes: impl IntoIterator<Item = &'a Route>) -> Self {
        let mut routes: Vec<Route> = routes.into_iter().cloned().collect();
        routes.sort_by_key(|route| (ranks(&route.path), route.method == "ANY"));
        Self(routes)
    }

    /// Returns the route that API Gateway would choose.
    pub(crate) fn of(&self, method: &str, path: &str) -> Option<&Route> {
        let is_of = |route: &&Route| route.method == "ANY" || route.method == method;
        self.0.iter().filter(is_of).find(|route| route_matches(&route.path, path))
    }
}

/// Ranks each segment by how specific it is: literal, parameter, greedy, `$default`.
fn ranks(path: &str) -> Vec<u8> {
    let rank = |segment: &str| match segment {
        "$default" => 3,
        segment if segment.ends_with("+}") => 2,
        segment if segment.starts_with('{') => 1,
        _ => 0,
    };
    path.trim_start_matches('/').split('/').map(rank).collect()
}

/// Returns the decoded parameters of a path, by their names in the pattern of the route.
pub(super) fn parameters<'p>(pattern: &'p str, path: &str) -> BTreeMap<&'p str, String> {
    let mut parameters = BTreeMap::new();
    let mut rest = path.trim_start_matches('/');
    for wanted in pattern.trim_start_matches('/').split('/') {
        let (segment, after) = rest.split_once('/').unwrap_or((rest, ""));
        let name = wanted.strip_prefix('{').and_then(|wanted| wanted.strip_suffix('}'));
        if let Some(name) = name {
            let (name, value) = name.strip_suffix('+').map_or((name, segment), |name| (name, rest));
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            parameters.insert(name, value);
        }
        rest = after;
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_route_is_chosen() {
        let route = |method: &str, path: &str| Route {
            method: method.into(),
            path: path.into(),
            function: format!("{method} {path}"),
        };
        let all = [
            route("ANY", "$default"),
            route("GET", "/files/{proxy+}"),
            route("GET", "/tenants/{id}"),
            route("ANY", "/tenants/{id}"),
            route("GET", "/tenants/count"),
            route("GET", "/"),
        ];
        let routes = Routes::new(&all);
        let cases = [
            ("GET", "/", "GET /"),
            ("GET", "/tenants/count", "GET /tenants/count"),
            ("GET", "/tenants/7", "GET /tenants/{id}"),
            ("PATCH", "/tenants/7", "ANY /tenants/{id}"),
            ("GET", "/tenants/7/", "ANY $default"),
            ("GET", "/tenants/", "ANY $default"),
            ("GET", "/files/a/b/c", "GET /files/{proxy+}"),
            ("POST", "/files/a", "ANY $default"),
        ];
        for (method, path, expected) in cases {
            let found = routes.of(method, path).map(|route| route.function.as_str());
            assert_eq!(found, Some(expected), "{method} {path}");
        }
        assert!(Routes::new(&all[1..]).of("GET", "/nothing").is_none());
    }

    #[test]
    fn parameters_are_decoded() {
        let named = |pattern, path| serde_json::json!(parameters(pattern, path)).to_string();
        assert_eq!(
            named("/tenants/{id}/jobs/{jobId}", "/tenants/a%2Fb/jobs/%C3%A4"),
            r#"{"id":"a/b","jobId":"ä"}"#
        );
        assert_eq!(named("/files/{proxy+}", "/files/a/b"), r#"{"proxy":"a/b"}"#);
        assert_eq!(named("$default", "/files/a/b"), "{}");
    }
}
