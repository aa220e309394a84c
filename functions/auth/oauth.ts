// Signing in to an application, with the libraries that applications use: openid-client, which does all of it, and oauth4webapi,
// which checks each step by itself. client.ts runs it.

import { randomBytes } from "node:crypto";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { type Api, body, check, newUser, PASSWORD, withToken } from "./client.ts";

const CALLBACK = "http://127.0.0.1:51004/callback";
const SCOPE = "openid email orders:read";
// The local AWS has no TLS.
const INSECURE = { [oauth.allowInsecureRequests]: true };

/** The text of an attribute. */
const text = (attribute: string) => attribute.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));

/** A person with a browser that has no scripts: fills in forms, keeps the cookie. */
class Person {
    private cookie = "";
    constructor(private readonly email: string) {}

    private async ask(url: URL, form?: URLSearchParams): Promise<Response> {
        const answer = await fetch(url, {
            method: form ? "POST" : "GET",
            redirect: "manual",
            headers: this.cookie ? { cookie: this.cookie } : {},
            ...(form && { body: form }),
        });
        for (const cookie of answer.headers.getSetCookie()) this.cookie = cookie.split(";")[0] ?? "";
        return answer;
    }

    /** Opens a page, signs in, allows the application, and gives the URL at which it ends: of the application, or of our page for a device. */
    async allows(url: URL): Promise<URL> {
        let answer = await this.ask(url);
        for (let steps = 0; steps < 6; steps++) {
            const location = answer.headers.get("location");
            if (location) {
                url = new URL(location, url);
                if (url.href.startsWith(CALLBACK)) return url;
                answer = await this.ask(url);
                continue;
            }
            const page = await answer.text();
            const form = new URLSearchParams();
            for (const [, name, value] of page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)) {
                form.set(name ?? "", text(value ?? ""));
            }
            const code = page.match(/name="user_code" value="([^"]+)" autocomplete/)?.[1];
            if (page.includes("<h1>You have allowed it</h1>")) return url;
            if (code) {
                form.set("user_code", code);
            } else if (page.includes("<h1>Sign in</h1>")) {
                form.set("email", this.email);
                form.set("password", PASSWORD);
            } else {
                check(page.includes("<h1>Allow "), page);
                form.set("decision", "allow");
            }
            url = new URL(page.match(/<form method="post" action="([\w-]+)">/)?.[1] ?? "", url);
            answer = await this.ask(url, form);
        }
        throw new Error(`no end at ${url}`);
    }
}

async function registered(admin: Api, kind: "confidential" | "public", grant: "authorization_code" | "client_credentials" | "device_code") {
    const redirect_uris = grant === "authorization_code" ? ["http://127.0.0.1/callback"] : [];
    const scopes = SCOPE.split(" ");
    const application = { name: `Client ${randomBytes(4).toString("hex")}`, kind, grants: [grant], redirect_uris, scopes };
    return body(await admin.POST("/v1/applications", { body: application }));
}

/** The whole life of a sign-in with openid-client. */
async function withOpenidClient(url: string, admin: Api, person: Person, email: string): Promise<void> {
    const { application, client_secret } = await registered(admin, "confidential", "authorization_code");
    const execute = [openid.allowInsecureRequests];
    const config = await openid.discovery(new URL(url), application.id, client_secret, undefined, { execute });
    const [pkceCodeVerifier, expectedState, expectedNonce] = [openid.randomPKCECodeVerifier(), openid.randomState(), openid.randomNonce()];
    const asks = openid.buildAuthorizationUrl(config, {
        redirect_uri: CALLBACK,
        scope: SCOPE,
        state: expectedState,
        nonce: expectedNonce,
        code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: "S256",
    });
    const callback = await person.allows(asks);
    const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
    const tokens = await openid.authorizationCodeGrant(config, callback, checks);
    const claims = tokens.claims();
    check(claims?.email === email && claims.email_verified === true, JSON.stringify(claims));
    const known = await openid.fetchUserInfo(config, tokens.access_token, claims.sub);
    check(known.email === email, JSON.stringify(known));

    const next = await openid.refreshTokenGrant(config, tokens.refresh_token ?? "");
    check(next.refresh_token !== tokens.refresh_token, "the refresh token is the same");
    const told = await openid.tokenIntrospection(config, next.access_token);
    check(told.active && told.sub === claims.sub && told.client_id === application.id, JSON.stringify(told));
    await openid.tokenRevocation(config, next.refresh_token ?? "");
    const refused = await openid.refreshTokenGrant(config, next.refresh_token ?? "").catch((error: unknown) => error);
    check(refused instanceof openid.ResponseBodyError && refused.error === "invalid_grant", String(refused));

    const machine = await registered(admin, "confidential", "client_credentials");
    const itself = await openid.discovery(new URL(url), machine.application.id, machine.client_secret, undefined, { execute });
    const own = await openid.clientCredentialsGrant(itself, { scope: "orders:read" });
    check(own.scope === "orders:read", JSON.stringify(own));
    for (const { id } of [application, machine.application]) {
        const path = { application_id: id };
        check((await admin.DELETE("/v1/applications/{application_id}", { params: { path } })).response.status === 204, id);
    }
}

/** A public application with oauth4webapi. A server checks the access token by itself, with the published keys. */
async function withOauth4webapi(url: string, admin: Api, person: Person): Promise<void> {
    const issuer = new URL(url);
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, INSECURE));
    const { application } = await registered(admin, "public", "authorization_code");
    const client = { client_id: application.id };
    const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
    const asks = new URL(server.authorization_endpoint ?? "");
    asks.search = new URLSearchParams({
        ...client,
        redirect_uri: CALLBACK,
        response_type: "code",
        scope: SCOPE,
        state,
        nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
    }).toString();
    // It checks `iss` (RFC 9207) and `state`.
    const parameters = oauth.validateAuthResponse(server, client, await person.allows(asks), state);
    const exchange = () => oauth.authorizationCodeGrantRequest(server, client, oauth.None(), parameters, CALLBACK, verifier, INSECURE);
    const answer = await exchange();
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
    await oauth.validateApplicationLevelSignature(server, answer, INSECURE);
    const request = new Request("https://server.example/", { headers: { authorization: `Bearer ${tokens.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(server, request, "arsenal", INSECURE);
    check(claims.client_id === application.id && claims.scope === "email openid orders:read", JSON.stringify(claims));

    // The code again: the session ends.
    const again = await oauth.processAuthorizationCodeResponse(server, client, await exchange()).catch((error: unknown) => error);
    check(again instanceof oauth.ResponseBodyError && again.error === "invalid_grant", String(again));
    const refreshing = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token ?? "", INSECURE);
    const refused = await oauth.processRefreshTokenResponse(server, client, refreshing).catch((error: unknown) => error);
    check(refused instanceof oauth.ResponseBodyError && refused.error === "invalid_grant", String(refused));
    await admin.DELETE("/v1/applications/{application_id}", { params: { path: { application_id: application.id } } });
}

/** A command line with openid-client: shows a code, and polls until the person has allowed it. */
async function withDevice(url: string, admin: Api, person: Person, email: string): Promise<void> {
    const { application } = await registered(admin, "public", "device_code");
    const execute = [openid.allowInsecureRequests];
    const config = await openid.discovery(new URL(url), application.id, undefined, openid.None(), { execute });
    const begun = await openid.initiateDeviceAuthorization(config, { scope: SCOPE });
    await person.allows(new URL(begun.verification_uri_complete ?? ""));
    const tokens = await openid.pollDeviceAuthorizationGrant(config, begun);
    check(tokens.claims()?.email === email, JSON.stringify(tokens.claims()));
    await openid.refreshTokenGrant(config, tokens.refresh_token ?? "");
    await admin.DELETE("/v1/applications/{application_id}", { params: { path: { application_id: application.id } } });
}

/** Signs a new user in to applications. */
export async function signInToApplications(url: string, adminToken: string): Promise<void> {
    const admin = withToken(url, adminToken);
    const email = await newUser(url);
    const person = new Person(email);
    await withOpenidClient(url, admin, person, email);
    await withOauth4webapi(url, admin, person);
    await withDevice(url, admin, person, email);
}
