//! What pages load, from this binary.

use axum::{
    http::{HeaderMap, header::CACHE_CONTROL, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use shared::Result;

use crate::packed::{BUNDLE, BUNDLE_STYLE, Packed};

/// A file that pages load.
#[derive(Debug)]
pub(crate) struct Asset {
    stem: &'static str,
    extension: &'static str,
    /// Its `content-type`.
    media_type: &'static str,
    content: Content,
}

/// What is in a file.
#[derive(Clone, Copy, Debug)]
enum Content {
    /// This text.
    Plain(&'static str),
    /// Something large.
    Packed(Packed),
}

/// How pages look.
pub(crate) const STYLE: Asset = Asset {
    stem: "page",
    extension: "css",
    media_type: "text/css; charset=utf-8",
    content: Content::Plain(include_str!("../assets/page.css")),
};

/// What the page behind a verification link does.
pub(crate) const SCRIPT: Asset = Asset {
    stem: "validate",
    extension: "js",
    media_type: "text/javascript; charset=utf-8",
    content: Content::Plain(include_str!("../assets/validate.js")),
};

/// The sign in a browser's tab.
pub(crate) const ICON: Asset = Asset {
    stem: "icon",
    extension: "svg",
    media_type: "image/svg+xml",
    content: Content::Plain(include_str!("../assets/icon.svg")),
};

/// What starts the explorer.
pub(crate) const EXPLORER: Asset = Asset {
    stem: "explorer",
    extension: "js",
    media_type: "text/javascript; charset=utf-8",
    content: Content::Plain(include_str!("../assets/explorer.js")),
};

/// The explorer.
pub(crate) const SWAGGER: Asset = Asset {
    stem: "swagger-ui",
    extension: "js",
    media_type: "text/javascript; charset=utf-8",
    content: Content::Packed(BUNDLE),
};

/// How the explorer looks.
pub(crate) const SWAGGER_STYLE: Asset = Asset {
    stem: "swagger-ui",
    extension: "css",
    media_type: "text/css; charset=utf-8",
    content: Content::Packed(BUNDLE_STYLE),
};

impl Asset {
    /// Its file name, which changes with its content.
    pub(crate) fn file(&self) -> String {
        let tag = match self.content {
            Content::Plain(text) => format!("{:016x}", fingerprint(text)),
            Content::Packed(packed) => packed.tag.to_owned(),
        };
        format!("{}.{tag}.{}", self.stem, self.extension)
    }

    /// It as `headers` accept it: kept by browsers for ever, since its name changes with it.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Result<Response> {
        let kept = "public, max-age=31536000, immutable";
        let content = match self.content {
            Content::Plain(text) => text.into_response(),
            Content::Packed(packed) => packed.answer(headers)?,
        };
        let told = [(CONTENT_TYPE, self.media_type), (CACHE_CONTROL, kept)];
        Ok((told, content).into_response())
    }
}

/// The asset that is called `file`.
pub(crate) fn find(file: &str) -> Option<Asset> {
    let all = [STYLE, SCRIPT, ICON, EXPLORER, SWAGGER, SWAGGER_STYLE];
    all.into_iter().find(|asset| asset.file() == file)
}

/// FNV-1a: it tells versions of a file apart and need not withstand anybody.
fn fingerprint(content: &str) -> u64 {
    content.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
