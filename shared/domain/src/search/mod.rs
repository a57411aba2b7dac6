mod fold;
mod hit;
mod words;

pub use hit::{HitKind, SearchHit};
pub use words::{SearchText, Words};
