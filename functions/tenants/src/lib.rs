//! The `tenants` Lambda.
