//! The `tenants` Lambda.

fn main() {}
