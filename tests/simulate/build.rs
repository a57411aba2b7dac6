//! Exports the replaced functions of libc, because some crates look them up by name.

fn main() {
    for name in ["clock_gettime", "gettimeofday", "getrandom", "syscall", "epoll_wait"] {
        println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol={name}");
    }
}
