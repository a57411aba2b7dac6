//! The `home` Lambda.

fn main() {}
