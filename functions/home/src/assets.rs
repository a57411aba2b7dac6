//! What pages load, from this binary.

/// A file that pages load.
#[derive(Debug)]
pub(crate) struct Asset {
    stem: &'static str,
    extension: &'static str,
    /// Its `content-type`.
    pub(crate) media_type: &'static str,
    /// What is in it.
    pub(crate) content: &'static str,
}

/// How pages look.
pub(crate) const STYLE: Asset = Asset {
    stem: "page",
    extension: "css",
    media_type: "text/css; charset=utf-8",
    content: include_str!("../assets/page.css"),
};

/// What the page behind a verification link does.
pub(crate) const SCRIPT: Asset = Asset {
    stem: "validate",
    extension: "js",
    media_type: "text/javascript; charset=utf-8",
    content: include_str!("../assets/validate.js"),
};

/// The sign in a browser's tab.
pub(crate) const ICON: Asset = Asset {
    stem: "icon",
    extension: "svg",
    media_type: "image/svg+xml",
    content: include_str!("../assets/icon.svg"),
};

impl Asset {
    /// Its file name, which changes with its content.
    pub(crate) fn file(&self) -> String {
        format!("{}.{:016x}.{}", self.stem, fingerprint(self.content), self.extension)
    }
}

/// The asset that is called `file`.
pub(crate) fn find(file: &str) -> Option<Asset> {
    [STYLE, SCRIPT, ICON].into_iter().find(|asset| asset.file() == file)
}

/// FNV-1a: it tells versions of a file apart and need not withstand anybody.
fn fingerprint(content: &str) -> u64 {
    content.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
