//! Compresses the assets under names that contain a content hash, and lists the methods of every
//! path from the OpenAPI document.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The folder of the assets.
const FOLDER: &str = "assets";
const DOCUMENT: &str = "openapi.json";

/// A file with the name that it is served under.
struct Served {
    name: String,
    /// The modules that this file needs to start, directly or indirectly.
    imports: BTreeSet<String>,
}

/// Packed files, by their paths in the folder.
type Done = BTreeMap<String, Served>;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed={FOLDER}");
    #[expect(clippy::disallowed_methods, reason = "Cargo passes the folder in this variable")]
    let out = PathBuf::from(
        env::var_os("OUT_DIR").ok_or("OUT_DIR is not set; run this script with cargo")?,
    );
    let document = fs::read(Path::new(FOLDER).join(DOCUMENT))?;
    pack(&out.join("document.gz"), &document)?;
    println!("cargo::rustc-env=DOCUMENT_TAG={:016x}", fingerprint(&document));
    fs::write(out.join("routes.rs"), routes(&serde_json::from_slice(&document)?))?;

    let mut done = Done::new();
    for folder in ["", "common", "console", "explorer", "signup", "swagger-ui"] {
        for entry in fs::read_dir(Path::new(FOLDER).join(folder))? {
            let file =
                entry?.file_name().into_string().map_err(|_| "a file name is not valid UTF-8")?;
            let path = Path::new(folder).join(file).to_string_lossy().into_owned();
            if [".js", ".css", ".svg"].iter().any(|ending| path.ends_with(ending)) {
                serve(&path, &out, &mut done)?;
            }
        }
    }
    let mut table = String::from("&[");
    for (path, Served { name, imports }) in &done {
        let imports = Vec::from_iter(imports);
        write!(table, "Asset {{ path: {path:?}, name: {name:?}, imports: &{imports:?}, ")?;
        writeln!(
            table,
            "gzip: include_bytes!({:?}) }},",
            out.join(name).with_added_extension("gz")
        )?;
    }
    table.push(']');
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

/// Packs the file at `path` after its imports, and replaces each import by the name that the
/// module is served under.
fn serve(path: &str, out: &Path, done: &mut Done) -> Result<()> {
    if done.contains_key(path) {
        return Ok(());
    }
    let mut text = fs::read_to_string(Path::new(FOLDER).join(path))?;
    let mut imports = BTreeSet::new();
    if path.ends_with(".js") && !path.starts_with("swagger-ui/") {
        let needed = quoted_after(" from \"", &text);
        let loaded_later = quoted_after("await import(\"", &text);
        for import in needed.iter().chain(&loaded_later) {
            let target = resolved(path, import).ok_or("an import is outside of the folder")?;
            serve(&target, out, done)?;
            let module = done.get(&target).ok_or("modules import each other in a circle")?;
            text = text.replace(&format!("\"{import}\""), &format!("\"./{}\"", module.name));
            if needed.contains(import) {
                imports.insert(module.name.clone());
                imports.extend(module.imports.iter().cloned());
            }
        }
    }
    let (stem, extension) = path.rsplit_once('.').ok_or("a file has no extension")?;
    let stem = stem.rsplit_once('/').map_or(stem, |(_, file)| file);
    let name = format!("{stem}.{:016x}.{extension}", fingerprint(text.as_bytes()));
    pack(&out.join(&name).with_added_extension("gz"), text.as_bytes())?;
    done.insert(path.to_owned(), Served { name, imports });
    Ok(())
}

/// Returns the relative paths that follow `start`: `from "./…"` or `await import("./…")`.
fn quoted_after(start: &str, module: &str) -> Vec<String> {
    let quoted = module.split(start).skip(1).filter_map(|rest| rest.split('"').next());
    quoted.filter(|path| path.starts_with('.')).map(str::to_owned).collect()
}

/// Resolves `import` in the file at `path` to a path in the folder.
fn resolved(path: &str, import: &str) -> Option<String> {
    let mut parts: Vec<_> = path.split('/').collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn pack(to: &Path, content: &[u8]) -> Result<()> {
    let mut packed = GzEncoder::new(fs::File::create(to)?, Compression::best());
    packed.write_all(content)?;
    packed.finish()?;
    Ok(())
}

/// Returns every pair of a served method and its path, as a Rust array.
fn routes(document: &Value) -> String {
    let is_served = |operation: &&Value| {
        let answers = operation["responses"].as_object();
        answers.is_some_and(|answers| answers.keys().any(|status| status.starts_with(['2', '3'])))
    };
    let paths = document["paths"].as_object().into_iter().flatten();
    let routes = paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().into_iter().flatten();
        let operations = operations.filter(|(_, operation)| is_served(operation));
        operations.map(move |(method, _)| format!("({:?}, {path:?}),", method.to_uppercase()))
    });
    format!("&[{}]", routes.collect::<String>())
}

/// FNV-1a: distinguishes versions of a file. A cryptographic hash is not needed.
fn fingerprint(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
