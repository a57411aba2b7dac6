//! The `leads` Lambda.

fn main() {}
