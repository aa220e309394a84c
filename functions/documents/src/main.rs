//! The Lambdas of documents, by the template's `Handler`. Those that read PDFs are in `documents-pdf`.

use documents::api::{
    cancel, complete_upload, create_upload, delete, get, get_settings, list, list_deliveries,
    patch_settings, put_schema, put_settings, resend_delivery, rotate_secret, upload_parts,
};
use documents::stages::{scan, structure};
use documents::system::{System, uploads};
use documents::{deliver_webhook, on_malware_verdict, on_upload, purge, sweep};
use shared::Result;
use shared::program::{self, Environment};

fn main() -> Result<()> {
    program::run("documents", async |lambda, environment: Environment| {
        let env = &environment;
        let system = || System::load(env);
        match lambda {
            // Uploads
            "create-upload" => env.serve(create_upload::router(system()?, uploads(env)?)).await,
            "upload-parts" => env.serve(upload_parts::router(system()?)).await,
            "complete-upload" => env.serve(complete_upload::router(system()?)).await,
            "on-upload" => on_upload::run(env).await,
            // Stages; validate, check-pdfa and extract-text are in the program documents-pdf
            "scan" => scan::run(env).await,
            "on-malware-verdict" => on_malware_verdict::run(env).await,
            "extract-structure" => structure::run(env).await,
            "sweep" => sweep::run(env).await,
            "deliver-webhook" => deliver_webhook::run(env).await,
            // Documents
            "get" => env.serve(get::router(system()?)).await,
            "list" => env.serve(list::router(system()?)).await,
            "cancel" => env.serve(cancel::router(system()?)).await,
            "delete" => env.serve(delete::router(system()?)).await,
            "purge" => purge::run(env).await,
            // Tenants' settings
            "get-settings" => env.serve(get_settings::router(system()?)).await,
            "put-settings" => env.serve(put_settings::router(system()?, env.courier()?)).await,
            "patch-settings" => env.serve(patch_settings::router(system()?, env.courier()?)).await,
            "list-deliveries" => env.serve(list_deliveries::router(system()?)).await,
            "resend-delivery" => env.serve(resend_delivery::router(system()?)).await,
            "rotate-secret" => env.serve(rotate_secret::router(system()?)).await,
            "put-schema" => env.serve(put_schema::router(system()?)).await,
            _ => Err(program::unknown(lambda)),
        }
    })
}
