//! What the layers cost.
fn main() {}
