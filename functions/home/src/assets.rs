//! The assets of the pages, embedded in the binary.

use axum::{
    http::{HeaderMap, header::CACHE_CONTROL, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use domain::Error;
use web::Result;

use crate::packed;

/// An asset as packed by `build.rs`.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Path in the folder `assets`.
    path: &'static str,
    /// Name with a content hash.
    pub(crate) name: &'static str,
    /// All modules that this one needs to start, directly or indirectly. Pages preload them.
    pub(crate) imports: &'static [&'static str],
    gzip: &'static [u8],
}

/// All assets.
const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl Asset {
    /// Returns the asset at `path` in the folder `assets`.
    ///
    /// # Errors
    ///
    /// [`Error::NoRoute`] if there is no such asset.
    pub(crate) fn at(path: &'static str) -> domain::Result<&'static Self> {
        let found = ASSETS.iter().find(|asset| asset.path == path);
        found.ok_or_else(|| Error::NoRoute(path.to_owned()))
    }

    /// Returns the asset named `name`, content hash included.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ASSETS.iter().find(|asset| asset.name == name)
    }

    /// Answers a request with these headers. Browsers cache the answer for a year, since the name
    /// changes with the content.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Result<Response> {
        let media_type = match self.name.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        let cached = "public, max-age=31536000, immutable";
        let head = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, cached)];
        Ok((head, packed::answer(self.gzip, headers)?).into_response())
    }
}
