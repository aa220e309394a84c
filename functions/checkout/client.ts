// A client of checkout, with the types that openapi-typescript generates. infra/local/clients.py compiles and runs it.

import type { Order, ProductWithStock } from "arsenal";

import { type Api, body, check, refusal, signedIn, withToken } from "../auth/client.ts";

const STOCK = 3;
const VISA = { payment_method: "pm_card_visa" };

/** Puts a product on sale. */
async function stock(admin: Api): Promise<void> {
    const path = { sku: `CLIENT-${crypto.randomUUID()}` };
    const product = { name: "Awl", price: { amount: 700, currency: "EUR" } };
    body(await admin.PUT("/v1/products/{sku}", { params: { path }, body: product }));
    const params = { path, header: { "Idempotency-Key": crypto.randomUUID() } };
    const movement = { quantity: STOCK, reason: "restock" } as const;
    body(await admin.POST("/v1/stock/{sku}/movements", { params, body: movement }));
}

/** All products, page by page. */
async function* products(api: Api): AsyncGenerator<ProductWithStock> {
    let cursor: string | undefined;
    do {
        const page = body(await api.GET("/v1/products", { params: { query: { limit: 1, cursor } } }));
        yield* page.products;
        cursor = page.next_cursor;
    } while (cursor !== undefined);
}

/** A product with this many units in stock, or fewer. */
async function find(api: Api, isWanted: (product: ProductWithStock) => boolean): Promise<ProductWithStock> {
    for await (const product of products(api)) {
        if (isWanted(product)) {
            return product;
        }
    }
    throw new Error("No page of the products has the product.");
}

/** Adds some units of a product to the cart. */
async function add(api: Api, sku: string, quantity: number): Promise<void> {
    const header = { "Idempotency-Key": crypto.randomUUID() };
    const cart = body(await api.POST("/v1/cart/lines", { params: { header }, body: { sku, quantity } }));
    check(cart.lines[0]?.quantity === quantity, `the cart: ${JSON.stringify(cart)}`);
}

/** Orders what is in the cart, twice with the same key. */
async function buy(api: Api): Promise<Order> {
    const header = { "Idempotency-Key": crypto.randomUUID(), Prefer: "wait=20" };
    const request = { params: { header }, body: VISA };
    const order = body(await api.POST("/v1/checkouts", request));
    check(order.status === "confirmed", `the order: ${JSON.stringify(order)}`);
    const replay = await api.POST("/v1/checkouts", request);
    check(replay.response.headers.get("idempotent-replayed") === "true", "The second answer is no replay.");
    check(body(replay).id === order.id, "The replay has another order.");
    return order;
}

/** What is refused, and why. */
async function refusals(url: string, api: Api, sku: string): Promise<void> {
    const path = { order_id: "ord_01M7YRRT800000000000000002" };
    const unknown = refusal(await api.GET("/v1/orders/{order_id}", { params: { path } }), 404);
    check("type" in unknown && unknown.type === "/docs/problems/not-found", JSON.stringify(unknown));

    await add(api, sku, STOCK);
    const params = { header: { "Idempotency-Key": crypto.randomUUID() } };
    const problem = refusal(await api.POST("/v1/checkouts", { params, body: VISA }), 409);
    check("type" in problem && problem.type === "/docs/problems/out-of-stock", JSON.stringify(problem));

    const stranger = withToken(url, "not.a.token");
    const answer = await stranger.GET("/v1/cart");
    const message = refusal(answer, answer.response.status);
    check("message" in message, `API Gateway answered ${JSON.stringify(message)}`);
}

/** Buys a product, and meets what refuses. */
export async function run(url: string, adminToken: string): Promise<void> {
    await stock(withToken(url, adminToken));
    const api = await signedIn(url);
    const product = await find(api, ({ available, name }) => name === "Awl" && available === STOCK);
    await add(api, product.sku, 2);
    const order = await buy(api);
    check(order.total.amount === 2 * product.price.amount, `the total: ${JSON.stringify(order.total)}`);
    const path = { order_id: order.id };
    const seen = body(await api.GET("/v1/orders/{order_id}", { params: { path } }));
    check(seen.history.some(({ event }) => event === "payment_captured"), JSON.stringify(seen.history));
    await refusals(url, api, product.sku);
}
