//! The Lambdas of inventory, by the template's `Handler`.

use inventory::api::{get_stock, list_movements, move_stock};
use inventory::sweep;
use inventory::system::System;
use shared::Result;
use shared::program::{self, Environment};

fn main() -> Result<()> {
    program::run("inventory", async |lambda, environment: Environment| {
        let env = &environment;
        let system = || System::load(env);
        match lambda {
            "move-stock" => env.serve(move_stock::router(system()?)).await,
            "list-movements" => env.serve(list_movements::router(system()?)).await,
            "get-stock" => env.serve(get_stock::router(system()?)).await,
            "sweep" => sweep::run(env).await,
            _ => Err(program::unknown(lambda)),
        }
    })
}
