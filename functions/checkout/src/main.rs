//! The Lambdas of checkout, by the template's `Handler`.

use checkout::api::{
    add_to_cart, cancel_order, delete_endpoint, get_cart, get_ledger, get_order, get_order_ledger,
    get_product, get_receipt, list_deliveries, list_endpoints, list_orders, list_products,
    list_stuck, on_provider_event, patch_product, pay_order, place_order, put_endpoint,
    put_product, refund_order, remove_from_cart, resend_delivery, rotate_secret, set_in_cart,
};
use checkout::system::{System, orders, payments, webhook_secret, webhooks};
use checkout::{advance, deliver_webhook, fold_ledger, reconcile, relay, sweep};
use shared::program::{self, Environment};
use shared::{Result, http};

fn main() -> Result<()> {
    program::run("checkout", async |lambda, environment: Environment| {
        let env = &environment;
        let system = || System::load(env);
        match lambda {
            // The catalogue
            "put-product" => env.serve(put_product::router(system()?)).await,
            "patch-product" => env.serve(patch_product::router(system()?)).await,
            "get-product" => env.serve(get_product::router(system()?)).await,
            "list-products" => env.serve(list_products::router(system()?)).await,
            // The cart
            "get-cart" => env.serve(get_cart::router(system()?)).await,
            "add-to-cart" => env.serve(add_to_cart::router(system()?)).await,
            "set-in-cart" => env.serve(set_in_cart::router(system()?)).await,
            "remove-from-cart" => env.serve(remove_from_cart::router(system()?)).await,
            // Orders
            "place-order" => env.serve(place_order::router(system()?)).await,
            "get-order" => env.serve(get_order::router(system()?, payments(env).await?)).await,
            "get-receipt" => env.serve(get_receipt::router(system()?)).await,
            "list-orders" => env.serve(list_orders::router(system()?)).await,
            "pay-order" => env.serve(pay_order::router(system()?)).await,
            "cancel-order" => env.serve(cancel_order::router(system()?)).await,
            "refund-order" => env.serve(refund_order::router(system()?)).await,
            // Background work on orders
            "relay" => relay::run(env).await,
            "advance" => advance::run(env).await,
            "on-provider-event" => {
                let secret = webhook_secret(env).await?;
                http::serve(on_provider_event::router(orders(env)?, secret, env.clock.clone()))
                    .await
            }
            "sweep" => sweep::run(env).await,
            // The ledger
            "fold-ledger" => fold_ledger::run(env).await,
            "reconcile" => reconcile::run(env).await,
            "get-ledger" => env.serve(get_ledger::router(system()?)).await,
            "get-order-ledger" => env.serve(get_order_ledger::router(system()?)).await,
            "list-stuck" => env.serve(list_stuck::router(system()?)).await,
            // Merchants' webhooks
            "put-endpoint" => env.serve(put_endpoint::router(system()?, env.courier()?)).await,
            "list-endpoints" => env.serve(list_endpoints::router(system()?)).await,
            "delete-endpoint" => env.serve(delete_endpoint::router(system()?)).await,
            "list-deliveries" => env.serve(list_deliveries::router(system()?)).await,
            "resend-delivery" => {
                env.serve(resend_delivery::router(system()?, webhooks(env)?)).await
            }
            "rotate-secret" => env.serve(rotate_secret::router(system()?)).await,
            "deliver-webhook" => deliver_webhook::run(env).await,
            _ => Err(program::unknown(lambda)),
        }
    })
}
