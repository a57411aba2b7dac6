/// Whether a path matches a route pattern, by the rules of the HTTP API:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>.
#[must_use]
pub fn route_matches(pattern: &str, path: &str) -> bool {
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
