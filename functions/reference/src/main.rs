//! The Lambda of reference, by the template's `Handler`.

use reference::site::Site;
use reference::{TASK_ROOT, read};
use shared::config::var;
use shared::program::{self, Environment};
use shared::{Result, http};

fn main() -> Result<()> {
    program::run("reference", async |lambda, _: Environment| match lambda {
        "read" => http::serve(read::router(Site::new(var::<String>(TASK_ROOT)?))).await,
        _ => Err(program::unknown(lambda)),
    })
}
