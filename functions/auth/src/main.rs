//! The Lambdas of auth, by the template's `Handler`.

use auth::api::{login, register};
use auth::system::{System, issuer};
use auth::{authorize, create_signing_key};
use shared::Result;
use shared::program::{self, Environment};

fn main() -> Result<()> {
    program::run("auth", async |lambda, environment: Environment| {
        let env = &environment;
        match lambda {
            "register" => env.serve(register::router(System::load(env)?)).await,
            "login" => env.serve(login::router(System::load(env)?, issuer(env).await?)).await,
            "authorize" => authorize::run(env).await,
            "create-signing-key" => create_signing_key::run(env).await,
            _ => Err(program::unknown(lambda)),
        }
    })
}
