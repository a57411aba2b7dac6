//! Proves that the simulation can fail: it finds every planted mistake.

use std::time::Duration;

use clap::ValueEnum;

use crate::{Options, plants::Plant, worlds::Worlds};

/// Number of worlds in which a mistake must be found.
const WORLDS: u64 = 24;

/// Number of customers of each.
const CUSTOMERS: u64 = 12;

impl Options {
    /// Plants mistakes. Returns whether each was found.
    #[expect(clippy::print_stdout, reason = "the result of this program")]
    pub(crate) fn prove(&self) -> bool {
        let all = Plant::value_variants();
        let plants = if self.plant.is_empty() { all } else { &self.plant };
        let mut missed = 0;
        for plant in plants {
            let time = Duration::from_secs(u64::MAX);
            let worlds = Worlds { customers: CUSTOMERS, time, most: WORLDS, ..self.worlds() };
            match worlds.run(Some(*plant)) {
                Ok(_) => {
                    missed += 1;
                    println!("{plant}: not found in {WORLDS} worlds");
                }
                Err(report) => {
                    let how = report["violated"].as_str().unwrap_or_default();
                    println!("{plant}: found in world {}: {how}", report["seed"]);
                }
            }
        }
        missed == 0
    }
}
