//! Virtual time and seeded randomness for everything in this process, by replacing functions of libc:
//! the standard library, tokio, the AWS SDK, `SQLite` and every generator of random numbers call them.
//! Linux only.
//!
//! Time stands still while something can run. When the runtime waits for a timer, time jumps to it.
//! Until [`begin`], the real functions are used.
#![expect(unsafe_code, reason = "functions of libc are replaced")]

use std::{
    ffi::{CStr, c_int, c_long, c_uint, c_void},
    mem::transmute,
    process::abort,
    ptr::null_mut,
    sync::atomic::{AtomicI64, AtomicPtr, AtomicU64, Ordering::Relaxed},
};

/// Nanoseconds since the beginning; 0 before it.
static ELAPSED: AtomicU64 = AtomicU64::new(0);

/// The system's time at the beginning, in milliseconds since 1970.
static START: AtomicI64 = AtomicI64::new(0);

/// How far the system's clock is off for whatever runs now, in milliseconds.
static SKEW: AtomicI64 = AtomicI64::new(0);

/// The state of the generator.
static RANDOM: AtomicU64 = AtomicU64::new(0);

/// Begins virtual time at `start`, in milliseconds since 1970, with random numbers from `seed`.
pub(crate) fn begin(start: i64, seed: u64) {
    START.store(start, Relaxed);
    RANDOM.store(seed, Relaxed);
    // The monotonic clock begins at 1 s, because some callers subtract from it.
    ELAPSED.store(1_000_000_000, Relaxed);
}

/// Returns the milliseconds since the beginning.
pub(crate) fn elapsed_ms() -> u64 {
    ELAPSED.load(Relaxed) / 1_000_000
}

/// Sets how far the system's clock is off, and returns how far it was.
pub(crate) fn set_skew(millis: i64) -> i64 {
    SKEW.swap(millis, Relaxed)
}

fn is_virtual() -> bool {
    ELAPSED.load(Relaxed) > 0
}

/// Returns the next random number: `SplitMix64` (<https://prng.di.unimi.it/splitmix64.c>).
fn next_random() -> u64 {
    let state = RANDOM.load(Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
    RANDOM.store(state, Relaxed);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The function that this process would call without the replacement.
struct Real {
    name: &'static CStr,
    found: AtomicPtr<c_void>,
}

impl Real {
    const fn new(name: &'static CStr) -> Self {
        Self { name, found: AtomicPtr::new(null_mut()) }
    }

    fn get(&self) -> *mut c_void {
        let known = self.found.load(Relaxed);
        if !known.is_null() {
            return known;
        }
        // SAFETY: the name ends with a zero byte.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        if found.is_null() {
            abort();
        }
        self.found.store(found, Relaxed);
        found
    }
}

static CLOCK_GETTIME: Real = Real::new(c"clock_gettime");
static GETTIMEOFDAY: Real = Real::new(c"gettimeofday");
static GETRANDOM: Real = Real::new(c"getrandom");
static SYSCALL: Real = Real::new(c"syscall");
static EPOLL_WAIT: Real = Real::new(c"epoll_wait");

/// Returns the time of a clock in nanoseconds.
fn now(clock: libc::clockid_t) -> i64 {
    let elapsed = ELAPSED.load(Relaxed).cast_signed();
    match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE => {
            (START.load(Relaxed) + SKEW.load(Relaxed)) * 1_000_000 + elapsed
        }
        _ => elapsed,
    }
}

/// Replaces the function of libc.
///
/// # Safety
///
/// As for the function of libc: `time` must be valid for writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    type Function = unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> c_int;
    if !is_virtual() {
        // SAFETY: the function of libc has this type, and the caller's arguments are passed on.
        return unsafe { transmute::<*mut c_void, Function>(CLOCK_GETTIME.get())(clock, time) };
    }
    let now = now(clock);
    let now = libc::timespec { tv_sec: now / 1_000_000_000, tv_nsec: now % 1_000_000_000 };
    // SAFETY: the caller guarantees that `time` is valid for writes.
    unsafe { time.write(now) };
    0
}

/// Replaces the function of libc.
///
/// # Safety
///
/// As for the function of libc: `time` must be valid for writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn gettimeofday(time: *mut libc::timeval, zone: *mut c_void) -> c_int {
    type Function = unsafe extern "C" fn(*mut libc::timeval, *mut c_void) -> c_int;
    if !is_virtual() {
        // SAFETY: the function of libc has this type, and the caller's arguments are passed on.
        return unsafe { transmute::<*mut c_void, Function>(GETTIMEOFDAY.get())(time, zone) };
    }
    let now = now(libc::CLOCK_REALTIME) / 1_000;
    let now = libc::timeval { tv_sec: now / 1_000_000, tv_usec: now % 1_000_000 };
    // SAFETY: the caller guarantees that `time` is valid for writes.
    unsafe { time.write(now) };
    0
}

/// Replaces the function of libc.
///
/// # Safety
///
/// As for the function of libc: `buffer` must be valid for writes of `length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, length: usize, flags: c_uint) -> isize {
    type Function = unsafe extern "C" fn(*mut c_void, usize, c_uint) -> isize;
    if !is_virtual() {
        // SAFETY: the function of libc has this type, and the caller's arguments are passed on.
        return unsafe {
            transmute::<*mut c_void, Function>(GETRANDOM.get())(buffer, length, flags)
        };
    }
    for at in 0..length {
        let byte = next_random().to_le_bytes()[0];
        // SAFETY: the caller guarantees that the buffer has `length` bytes.
        unsafe { buffer.cast::<u8>().add(at).write(byte) };
    }
    length.cast_signed()
}

/// Replaces the function of libc, which takes up to six arguments after the number. They are passed in
/// registers, whether the function is variadic or not.
///
/// # Safety
///
/// As for the system call.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    type Function =
        unsafe extern "C" fn(c_long, c_long, c_long, c_long, c_long, c_long, c_long) -> c_long;
    if is_virtual() && number == libc::SYS_getrandom {
        // SAFETY: these are the arguments of `getrandom`.
        return unsafe { getrandom(a as *mut c_void, b.cast_unsigned() as usize, 0) } as c_long;
    }
    // SAFETY: the function of libc reads as many of these registers as the call has arguments.
    unsafe { transmute::<*mut c_void, Function>(SYSCALL.get())(number, a, b, c, d, e, f) }
}

/// Replaces the function of libc. Instead of waiting, time passes.
///
/// # Safety
///
/// As for the function of libc: `events` must be valid for writes of `most` events.
#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_wait(
    epoll: c_int,
    events: *mut libc::epoll_event,
    most: c_int,
    timeout: c_int,
) -> c_int {
    type Function = unsafe extern "C" fn(c_int, *mut libc::epoll_event, c_int, c_int) -> c_int;
    let waited = if is_virtual() { 0 } else { timeout };
    // SAFETY: the function of libc has this type, and the caller's arguments are passed on.
    let ready = unsafe {
        transmute::<*mut c_void, Function>(EPOLL_WAIT.get())(epoll, events, most, waited)
    };
    if is_virtual() && ready == 0 {
        match u64::try_from(timeout) {
            Ok(millis) => {
                ELAPSED.fetch_add(millis * 1_000_000, Relaxed);
            }
            // Nothing runs, and there is no timer to wait for.
            Err(_) => abort(),
        }
    }
    ready
}
