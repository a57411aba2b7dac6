use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use lambda::Env;

use crate::app::eventually;

/// `cargo lambda watch`, serving the HTTP functions through the real Lambda runtime loop.
#[derive(Debug)]
pub(crate) struct Watch {
    port: u16,
    child: Option<Child>,
}

impl Watch {
    /// Picks a free port if `TENANTRY_TEST_WATCH` is set to the path of `cargo-lambda`.
    pub(crate) fn from_env() -> Option<Self> {
        Self::program()?;
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        Some(Self { port: free.local_addr().unwrap().port(), child: None })
    }

    /// Returns the URL of the HTTP functions.
    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts `cargo lambda watch` with the functions' variables and waits until it answers.
    pub(crate) async fn serve(mut self, env: &Env) -> Self {
        let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let mut command = Command::new(Self::program().unwrap());
        for name in package_variables() {
            command.env_remove(name);
        }
        let child = command
            .args(["lambda", "watch", "--ignore-changes", "-A", "127.0.0.1", "-P"])
            .arg(self.port.to_string())
            .current_dir(root)
            .envs(env.iter())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap());
        let url = format!("{}/ping", self.base_url());
        eventually("a response from cargo lambda watch", async || {
            let answer = reqwest::get(&url).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        self
    }

    fn program() -> Option<String> {
        #[expect(clippy::disallowed_methods, reason = "a test setting, not configuration")]
        std::env::var("TENANTRY_TEST_WATCH").ok()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // An interrupt makes `cargo lambda watch` stop its functions.
            let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}

/// Returns the variables with which cargo describes this package to its tests. If they differ between
/// two builds, ring and all that needs it are built again.
#[expect(clippy::disallowed_methods, reason = "the environment of a child, not configuration")]
fn package_variables() -> impl Iterator<Item = String> {
    let names = std::env::vars().map(|(name, _)| name);
    names.filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
}
