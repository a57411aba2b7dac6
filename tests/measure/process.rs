use std::fs;

/// Returns the CPU time of processes in nanoseconds, from `schedstat` (more precise than ticks).
pub(crate) fn cpu(pids: &[u32]) -> u64 {
    pids.iter().map(|pid| thread_time(*pid)).sum()
}

fn thread_time(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let ran = threads.filter_map(|thread| {
        let schedule = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        schedule.split(' ').next()?.parse::<u64>().ok()
    });
    ran.sum()
}

/// Returns the CPU ticks of processes in user space and in the kernel. Ticks are coarse, so they
/// are only meaningful for long measurements.
pub(crate) fn ticks(pids: &[u32]) -> (u64, u64) {
    let of = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let rest = stat.rsplit(") ").next().unwrap_or_default();
        let field = |n: usize| rest.split(' ').nth(n).and_then(|n| n.parse::<u64>().ok());
        (field(11).unwrap_or(0), field(12).unwrap_or(0))
    };
    let all: Vec<_> = pids.iter().map(of).collect();
    (all.iter().map(|(user, _)| user).sum(), all.iter().map(|(_, system)| system).sum())
}

/// Returns the resident memory of processes in bytes.
pub(crate) fn memory(pids: &[u32]) -> u64 {
    let of = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
    };
    pids.iter().map(of).sum()
}
