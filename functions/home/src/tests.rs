use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use domain::LeadId;
use lambda::Env;
use serde_json::Value;
use tower::ServiceExt;

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

async fn home() -> Router {
    crate::router(&Env::from_iter([("APP_NAME", "Rocket & <b>Co</b>")])).await.unwrap()
}

async fn send(request: Request<Body>) -> Reply {
    let response = home().await.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Reply { status: parts.status, headers: parts.headers, text: String::from_utf8(text).unwrap() }
}

async fn get(path: &str) -> Reply {
    send(Request::get(path).body(Body::empty()).unwrap()).await
}

/// Returns the paths of the assets that `html` links to.
fn linked(html: &str) -> Vec<String> {
    let attributes = html.split("assets/").skip(1);
    attributes.map(|rest| format!("/assets/{}", rest.split_once('"').unwrap().0)).collect()
}

#[tokio::test]
async fn ping_repeats_only_harmless_headers() {
    let hidden = [
        "authorization",
        "cookie",
        "forwarded",
        "from",
        "password",
        "proxy-authorization",
        "referer",
        "x-amz-security-token",
        "x-amzn-oidc-data",
        "x-api-key",
        "x-auth-token",
        "x-client-cert",
        "x-jwt",
        "x-session-id",
        "x-signature",
        "x-unheard-of",
    ];
    let mut request = Request::get("/ping?code=marker&token=marker&marker")
        .header("user-agent", "curl")
        .header("x-forwarded-for", "192.0.2.1")
        .header("x-forwarded-for", "192.0.2.2");
    for name in hidden {
        request = request.header(name, "marker");
    }
    let reply = send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((reply.status, reply.text.contains("marker")), (StatusCode::OK, false));
    let ping = reply.json();
    assert_eq!(ping["greeting"], "Hello from Rocket & <b>Co</b>");
    assert_eq!(ping["url"], "/ping");
    let shown = serde_json::json!({
        "user-agent": "curl", "x-forwarded-for": "192.0.2.1, 192.0.2.2",
    });
    assert_eq!(ping["headers"], shown);
    let date = ping["date"].as_str().unwrap();
    assert!(date.len() == "2026-11-23T17:54:06.859Z".len() && date.ends_with('Z'), "{date}");
}

#[tokio::test]
async fn pages_have_a_strict_policy_and_load_served_assets() {
    let validate = format!("/validate/{}?code=x", LeadId::generate());
    for path in ["/", "/signup", &validate, "/console", "/explorer"] {
        let page = get(path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(!page.header("x-request-id").is_empty());
        assert!(page.text.contains("Rocket &#38; &#60;b&#62;Co&#60;/b&#62;"));
        assert!(!page.text.contains("style=") && !page.text.contains("onclick"));

        let linked = linked(&page.text);
        assert!(linked.len() > 1, "a page loads a style sheet and an icon");
        for file in linked {
            let asset = get(&file).await;
            assert_eq!(asset.status, StatusCode::OK, "{file}");
            assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
            let media_type = match file.rsplit('.').next() {
                Some("css") => "text/css; charset=utf-8",
                Some("js") => "text/javascript; charset=utf-8",
                _ => "image/svg+xml",
            };
            assert_eq!(asset.header("content-type"), media_type);
        }
    }
}

#[tokio::test]
async fn the_document_is_compressed_and_revalidated() {
    let plain = get("/openapi.json").await;
    assert_eq!(plain.header("content-type"), "application/json");
    assert_eq!(plain.json()["openapi"], "3.1.0");
    let with = |name: &str, value: &str| {
        Request::get("/openapi.json").header(name, value).body(Body::empty()).unwrap()
    };
    let packed = home().await.oneshot(with("accept-encoding", "br, gzip;q=0.8")).await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = to_bytes(packed.into_body(), usize::MAX).await.unwrap();
    assert!(packed.len() * 5 < plain.text.len());
    let refused = send(with("accept-encoding", "gzip;q=0")).await;
    assert_eq!(refused.text, plain.text);
    let known = send(with("if-none-match", plain.header("etag"))).await;
    assert_eq!((known.status, known.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_with_the_envelope() {
    for path in [
        "/validate/1",
        "/console/x",
        "/validate/%FF",
        "/validate",
        "/assets/page.css",
        "/assets/..%2Fsrc%2Flib.rs",
        "/favicon.ico",
    ] {
        let reply = get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(reply.json()["error"]["name"], "NotFoundError", "{path}");
    }
    let reply = send(Request::post("/ping").body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    for (path, allowed) in [("/leads", "GET, HEAD, POST"), ("/auth/sign-in", "GET, HEAD")] {
        let reply = send(Request::delete(path).body(Body::empty()).unwrap()).await;
        let expected = (StatusCode::METHOD_NOT_ALLOWED, allowed);
        assert_eq!((reply.status, reply.header("allow")), expected, "{path}");
    }
}

#[tokio::test]
async fn slashes_at_the_end_of_a_path_are_redirected() {
    for (path, location) in [
        ("/tenants/", "/tenants"),
        ("/tenants/count/?where=%7B%7D", "/tenants/count?where=%7B%7D"),
        ("/leads/7//", "/leads/7"),
        ("/ping/", "/ping"),
    ] {
        let reply = get(path).await;
        assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT, "{path}");
        assert_eq!(reply.header("location"), location);
    }
    for path in ["/nowhere/", "//", "//evil.test/", "/tenants//7", "//tenants/"] {
        let reply = get(path).await;
        assert_eq!((reply.status, reply.header("location")), (StatusCode::NOT_FOUND, ""), "{path}");
    }
}

#[tokio::test]
async fn the_home_page_links_to_the_repository_if_its_url_is_set() {
    let url = "https://git.test/acme/tenantry";
    let page = async |variables: &[(&str, &str)]| {
        let env = Env::from_iter(variables.iter().copied());
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = crate::router(&env).await.unwrap().oneshot(request).await.unwrap();
        let page = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(page.to_vec()).unwrap()
    };
    assert!(page(&[("REPOSITORY_URL", url)]).await.contains(&format!("href=\"{url}\"")));
    assert!(!page(&[]).await.contains("http"));

    let env = Env::from_iter([("REPOSITORY_URL", "javascript:alert(1)")]);
    let error = crate::router(&env).await.unwrap_err().to_string();
    assert!(error.contains("REPOSITORY_URL"), "{error}");
}

#[tokio::test]
async fn the_forms_have_the_fields_of_the_api() {
    let validate = get(&format!("/validate/{}", LeadId::generate())).await.text;
    let signup = get("/signup").await.text;
    for (page, fields) in [
        (validate, "name key domains address city state zip country tier email"),
        (
            signup,
            "firstName lastName companyName email address/address address/city address/state address/zip address/country",
        ),
    ] {
        for field in fields.split(' ') {
            assert!(page.contains(&format!("name=\"{field}\"")), "{field}");
        }
        assert!(page.contains("<noscript>"));
    }
}

#[tokio::test]
async fn the_first_load_of_a_page_is_below_60_kb_and_preloads_every_module() {
    for page in ["/signup", "/console", &format!("/validate/{}", LeadId::generate())] {
        let html = get(page).await.text;
        let (mut bytes, linked) = (html.len(), linked(&html));
        for file in &linked {
            let request = Request::get(file).header("accept-encoding", "gzip");
            let packed = home().await.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(packed.headers()["content-encoding"], "gzip");
            bytes += to_bytes(packed.into_body(), usize::MAX).await.unwrap().len();
            let text = get(file).await.text;
            for import in text.split(" from \"./").skip(1) {
                let import = format!("/assets/{}", import.split_once('"').unwrap().0);
                assert!(linked.contains(&import), "{file} imports {import}");
            }
        }
        assert!(bytes < 60_000, "{page}: {bytes} bytes");
    }
}
