use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use crate::{locked, world::World};

impl World {
    /// Ends all faults, and waits until nothing is left to do. Everything must reach a final state within
    /// `time`.
    pub(crate) async fn settle_all(self: &Arc<Self>, time: Duration) {
        self.faults.end();
        self.trace.add("the faults end", &[]);
        if tokio::time::timeout(time, self.settled()).await.is_err() {
            let due = self.history.next_due();
            let how = format!(
                "busy: {}, due: {due:?}, letters: {}",
                self.is_busy(),
                locked(&self.dead_letters).len()
            );
            self.violated("everything ends", &how);
        }
    }

    async fn settled(self: &Arc<Self>) {
        let mut quiet = 0;
        while quiet < 3 {
            tokio::time::sleep(Duration::from_secs(300)).await;
            let is_read = self.positions.are_at(self.history.len());
            let is_due = self.history.next_due().is_some_and(|due| {
                due.split('#').next().is_some_and(|due| *due <= *lambda::now().to_string())
            });
            let is_due = is_due && self.idle_runs.load(Relaxed) < 3;
            let redriven = self.redrive().await;
            let is_quiet = is_read && !is_due && !redriven && !self.is_busy();
            quiet = if is_quiet { quiet + 1 } else { 0 };
        }
    }
}
