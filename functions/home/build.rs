//! Packs what is large, and takes from the OpenAPI document which methods each path has.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

const DOCUMENT: &str = "assets/openapi.json";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo runs this")?);
    for (name, file) in [
        ("DOCUMENT", DOCUMENT),
        ("BUNDLE", "assets/swagger-ui/swagger-ui-bundle.js"),
        ("BUNDLE_STYLE", "assets/swagger-ui/swagger-ui.css"),
    ] {
        println!("cargo::rerun-if-changed={file}");
        let content = fs::read(file)?;
        let mut packed =
            GzEncoder::new(File::create(out.join(name).with_extension("gz"))?, Compression::best());
        packed.write_all(&content)?;
        packed.finish()?;
        println!("cargo::rustc-env={name}_TAG={:016x}", fingerprint(&content));
    }
    let document: Value = serde_json::from_slice(&fs::read(DOCUMENT)?)?;
    fs::write(out.join("routes.rs"), routes(&document))?;
    Ok(())
}

/// Every path with a method that is served there, as a Rust array.
fn routes(document: &Value) -> String {
    let served = |operation: &&Value| {
        let answers = operation["responses"].as_object();
        answers.is_some_and(|answers| answers.keys().any(|status| status.starts_with('2')))
    };
    let paths = document["paths"].as_object().into_iter().flatten();
    let routes = paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().into_iter().flatten();
        let operations = operations.filter(|(_, operation)| served(operation));
        operations.map(move |(method, _)| format!("({:?}, {path:?}),", method.to_uppercase()))
    });
    format!("&[{}]", routes.collect::<String>())
}

/// FNV-1a: it tells versions of a file apart and need not withstand anybody.
fn fingerprint(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
