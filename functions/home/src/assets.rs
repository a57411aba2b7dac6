//! What pages load, from this binary.

use axum::{
    http::{HeaderMap, header::CACHE_CONTROL, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use shared::{Error, Result};

use crate::packed;

/// A file that pages load, as `build.rs` packed it.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Where it is in the folder `assets`.
    path: &'static str,
    /// What it is called, which changes with its content.
    pub(crate) name: &'static str,
    /// The modules that it imports, and theirs: a page has them loaded at once.
    pub(crate) imports: &'static [&'static str],
    gzip: &'static [u8],
}

/// All of them.
const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl Asset {
    /// The one at `path` in the folder `assets`.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub(crate) fn at(path: &'static str) -> Result<&'static Self> {
        let found = ASSETS.iter().find(|asset| asset.path == path);
        found.ok_or_else(|| Error::NoRoute(path.to_owned()))
    }

    /// The one that is called `name`.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ASSETS.iter().find(|asset| asset.name == name)
    }

    /// It as `headers` accept it: kept by browsers for ever, since its name changes with it.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Result<Response> {
        let media_type = match self.name.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        let kept = "public, max-age=31536000, immutable";
        let told = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, kept)];
        Ok((told, packed::answer(self.gzip, headers)?).into_response())
    }
}
