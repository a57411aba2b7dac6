//! The `webhook` Lambda.

fn main() {}
