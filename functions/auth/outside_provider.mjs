// An outside provider with OpenID Connect, at which browser.mjs signs users in: the library oidc-provider (`Provider`), with a page that asks for an
// address and believes it.

import { createServer } from "node:http";

const { IDENTITY_ISSUER, IDENTITY_CLIENT, IDENTITY_SECRET } = process.env;
const PAGE = `<!DOCTYPE html><title>Local</title><link rel=icon href=data:,><h1>Sign in at Local</h1>
<form method="post"><label>Address <input name="email"></label><button>Sign in</button></form>`;

/** Asks who the user is, and says that the user has allowed everything. */
async function interaction(provider, request, response) {
    if (request.method === "GET") return response.setHeader("content-type", "text/html").end(PAGE);
    const body = [];
    for await (const chunk of request) body.push(chunk);
    const accountId = new URLSearchParams(Buffer.concat(body).toString()).get("email");
    const { params } = await provider.interactionDetails(request, response);
    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope("openid email");
    const result = { login: { accountId }, consent: { grantId: await grant.save() } };
    return provider.interactionFinished(request, response, result);
}

/** Starts the provider, for the stack at `api`. */
export async function outsideProvider(Provider, api) {
    const provider = new Provider(IDENTITY_ISSUER, {
        clients: [{ client_id: IDENTITY_CLIENT, client_secret: IDENTITY_SECRET, redirect_uris: [`${api}/auth/callback/local`] }],
        claims: { email: ["email", "email_verified"] },
        cookies: { keys: ["of the local stack"] },
        features: { devInteractions: { enabled: false } },
        findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, email: sub, email_verified: true }) }),
        interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    });
    const oidc = provider.callback();
    const server = createServer((request, response) => {
        const isOurs = request.url.startsWith("/interaction/");
        (isOurs ? interaction(provider, request, response) : oidc(request, response)).catch((error) => {
            response.writeHead(500).end(String(error));
        });
    });
    const { hostname, port, host } = new URL(IDENTITY_ISSUER);
    await new Promise((resolve) => server.listen(port, hostname, resolve));
    return { host, close: () => server.close() };
}
