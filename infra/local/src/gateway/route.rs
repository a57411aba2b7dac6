use crate::template::Route;

/// The routes of the API, most specific first.
#[derive(Clone, Debug)]
pub(super) struct Routes(Vec<Route>);

impl Routes {
    pub(super) fn new<'a>(routes: impl IntoIterator<Item = &'a Route>) -> Self {
        let mut routes: Vec<Route> = routes.into_iter().cloned().collect();
        routes.sort_by_key(|route| (ranks(&route.path), route.method == "ANY"));
        Self(routes)
    }

    /// The route that API Gateway would take.
    pub(super) fn of(&self, method: &str, path: &str) -> Option<&Route> {
        let is_of = |route: &&Route| route.method == "ANY" || route.method == method;
        self.0.iter().filter(is_of).find(|route| fits(&route.path, path))
    }
}

/// How specific each segment is: literal, parameter, greedy; `$default` comes last.
fn ranks(path: &str) -> Vec<u8> {
    let rank = |segment: &str| match segment {
        "$default" => 3,
        segment if segment.ends_with("+}") => 2,
        segment if segment.starts_with('{') => 1,
        _ => 0,
    };
    path.trim_start_matches('/').split('/').map(rank).collect()
}

fn fits(pattern: &str, path: &str) -> bool {
    if pattern == "$default" {
        return true;
    }
    let mut segments = path.trim_start_matches('/').split('/');
    for wanted in pattern.trim_start_matches('/').split('/') {
        if wanted.ends_with("+}") {
            return segments.next().is_some_and(|segment| !segment.is_empty());
        }
        let is_parameter = wanted.starts_with('{') && wanted.ends_with('}');
        match segments.next() {
            Some(segment) if segment == wanted || is_parameter && !segment.is_empty() => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_route_is_taken() {
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
}
