//! The `reconciler` Lambda.

fn main() {}
