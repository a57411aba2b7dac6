use std::{sync::Mutex, time::Duration};

use crate::locked;

/// The source of every decision of a world.
#[derive(Debug)]
pub(crate) struct Chance(Mutex<fastrand::Rng>);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// Returns true in `per_mille` of a thousand cases.
    pub(crate) fn is(&self, per_mille: u32) -> bool {
        locked(&self.0).u32(0..1000) < per_mille
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&self, end: u64) -> u64 {
        locked(&self.0).u64(0..end)
    }

    /// Returns one of `choices`.
    pub(crate) fn one<'c, T>(&self, choices: &'c [T]) -> &'c T {
        &choices[locked(&self.0).usize(0..choices.len())]
    }

    /// Returns one of `choices`, each as often as its number says.
    pub(crate) fn weighted<T: Copy>(&self, choices: &[(T, usize)]) -> T {
        let all = choices.iter().flat_map(|(choice, often)| std::iter::repeat_n(*choice, *often));
        *self.one(&all.collect::<Vec<_>>())
    }

    /// Returns a time from `least` to `most`. Short times are more likely: every order of magnitude is
    /// equally likely.
    pub(crate) fn time(&self, least: Duration, most: Duration) -> Duration {
        let (least, most) = (least.as_secs_f64().ln(), most.as_secs_f64().ln());
        Duration::from_secs_f64((least + (most - least) * locked(&self.0).f64()).exp())
    }
}
