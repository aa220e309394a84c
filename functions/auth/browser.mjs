// A person in front of the pages of auth. infra/local/browser.py runs it.
//
// Scripts are off but for passkeys, and the keyboard is all that is used, unless a step says otherwise.

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { outsideProvider } from "./outside_provider.mjs";

const [FIRST, SECOND] = ["correct horse battery", "correct horse battery staple"];
const NO_SCRIPTS = { javaScriptEnabled: false };
// How long a mail may take, in milliseconds.
const MAIL_WITHIN = 30_000;
// How long the browser may take to complain.
const COMPLAINTS_WITHIN = 5_000;

/** Waits for mail `number` to an address, counted from 1. Gives the URL in it. */
async function link(aws, email, number) {
    for (const end = Date.now() + MAIL_WITHIN; Date.now() < end; await sleep(100)) {
        const { messages } = await (await fetch(`${aws}/_ministack/ses/messages`)).json();
        const mails = Object.values(messages).flat().filter((mail) => mail.To.includes(email));
        if (mails.length >= number) return mails[number - 1].BodyText.match(/^http\S+$/m)[0];
    }
    assert.fail(`no mail ${number} to ${email}`);
}

/** Signs in by the API. Gives the status. */
async function signedIn(api, email, password) {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ email, password });
    return (await fetch(`${api}/v1/auth/login`, { method: "POST", headers, body })).status;
}

const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();

/** Fills in the field of a form that can be edited, and sends the form, with the keyboard. */
async function send(page, text) {
    await page.locator("input:not([type=hidden], [readonly])").focus();
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.insertText(text);
    await page.keyboard.press("Enter");
}

/** Goes to the first link of a page with the tabulator key, and follows it. */
async function follow(page, name) {
    for (let tabs = 0; tabs < 6; tabs++) {
        await page.keyboard.press("Tab");
        if (await page.getByRole("link", { name }).and(page.locator(":focus")).count()) {
            return page.keyboard.press("Enter");
        }
    }
    assert.fail(`no way to ${name} with the keyboard`);
}

/** What a screen reader says of the field with the focus. */
async function spoken(page) {
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const property = (node, name) => node.properties?.find((it) => it.name === name)?.value.value;
    const node = nodes.find((it) => it.role?.value === "textbox" && property(it, "focused"));
    assert(node, "no field has the focus");
    const [name, description] = [node.name.value, node.description?.value ?? ""];
    return { name, description, invalid: property(node, "invalid") };
}

async function register({ api, aws, open, shoot }, email) {
    const page = await open(NO_SCRIPTS);
    await page.goto(`${api}/auth/register`);
    await heading(page, "Create an account");
    await shoot(page, "register");
    // The browser refuses this one itself, the page the next one.
    await send(page, "ada");
    assert.equal(await page.locator("input:invalid").count(), 1);
    await send(page, "ada@localhost");
    await page.getByText("Check the address: an e-mail address is name@domain.tld").waitFor();
    const { name, description, invalid } = await spoken(page);
    assert.deepEqual([name, invalid], ["E-mail address", "true"]);
    assert.match(description, /^Check the address: /);
    assert.equal(await page.getByLabel("E-mail address").inputValue(), "ada@localhost");
    await shoot(page, "register-refused");
    await send(page, email);
    await page.getByText(`A mail to ${email} is on its way`).waitFor();
    await shoot(page, "mail-is-coming");
    const url = await link(aws, email, 1);
    // A program of the mail provider opens the link first.
    for (let times = 0; times < 3; times++) assert.equal((await fetch(url)).status, 200);

    await page.goto(url);
    await heading(page, "Choose a password");
    assert.equal(await page.getByLabel("E-mail address").inputValue(), email);
    await shoot(page, "confirm");
    const tab = await open(NO_SCRIPTS);
    await tab.goto(url);
    // The browser counts 20 units and lets it pass. They are 10 characters.
    await send(page, "🔑".repeat(10));
    await page.getByText("Choose another password: a password has 15 to 128 characters.").waitFor();
    const field = await spoken(page);
    assert.deepEqual([field.name, field.invalid], ["New password", "true"]);
    assert.match(field.description, /^15 to 128 characters.*Choose another password: /s);
    assert.equal(await page.getByLabel("New password").inputValue(), "");
    assert(!page.url().includes("token"), page.url());
    await send(page, "passwordpassword");
    await page.getByText("it is easy to guess").waitFor();
    await shoot(page, "confirm-refused");
    await send(page, FIRST);
    await heading(page, "Your account exists");
    await shoot(page, "account-exists");
    assert.equal(await signedIn(api, email, FIRST), 200);

    // The link does not work again: neither the page that is still open in a second tab nor a new one.
    await send(tab, SECOND);
    await heading(tab, "This link does not work");
    assert.equal(await signedIn(api, email, SECOND), 401);
    await page.goto(url);
    await heading(page, "This link does not work");
    await shoot(page, "link-does-not-work");
    await follow(page, "Create an account");
    await heading(page, "Create an account");
    return page;
}

async function reset({ api, aws, shoot }, page, email) {
    await follow(page, "Choose a new password");
    await heading(page, "Choose a new password");
    await shoot(page, "forgot-password");
    await send(page, email);
    await page.getByText(`A mail to ${email} is on its way`).waitFor();
    await page.goto(await link(aws, email, 2));
    await heading(page, "Choose a new password");
    await shoot(page, "reset-password");
    await send(page, SECOND);
    await heading(page, "Your password is set");
    await shoot(page, "password-is-set");
    assert.equal(await signedIn(api, email, FIRST), 401);
    assert.equal(await signedIn(api, email, SECOND), 200);
}

/** A page of somebody else sends our form. The browser says where it comes from. */
async function fromAnotherSite({ api, open, shoot }, email) {
    const page = await open();
    const form = `<form method="post" action="${api}/auth/register"><input name="email" value="${email}"><button>`;
    await page.setContent(form);
    await page.getByRole("button").click();
    await page.getByText("sent from another site").waitFor();
    await shoot(page, "another-site");
}

/** The browser says that it has kept a rule of ours. These complaints are wanted. */
async function complains(complaints, ...wanted) {
    const end = Date.now() + COMPLAINTS_WITHIN;
    const missing = () => wanted.filter((text) => !complaints.some((complaint) => text.test(complaint)));
    while (missing().length && Date.now() < end) await sleep(50);
    assert.deepEqual(missing(), [], complaints.join("\n"));
    complaints.length = 0;
}

/** A page of somebody else shows ours in a frame, to make people click there. */
async function inAFrame({ api, open, complaints }) {
    assert.deepEqual(complaints, []);
    const page = await open();
    await page.setContent(`<iframe src="${api}/auth/register"></iframe>`);
    await complains(complaints, /frame/i);
    assert.equal(await page.frameLocator("iframe").getByText("Create an account").count(), 0);
}

/** If markup got into a page after all: the browser runs no script, loads nothing, and applies no style. */
async function againstThePolicy({ api, open, complaints }) {
    const page = await open();
    await page.goto(`${api}/auth/register`);
    assert.deepEqual(complaints, []);
    await page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "document.title = 'a script ran'";
        const image = document.createElement("img");
        image.src = "https://example.net/";
        document.body.append(script, image);
        document.body.setAttribute("style", "display: none");
    });
    assert.equal(await page.title(), "Create an account");
    assert(await page.locator("body").isVisible());
    await complains(complaints, /inline script.*Content Security Policy/i, /image.*Content Security Policy/i, /inline style.*Content Security Policy/i);
}

/** An application on the user's machine: its URL, and what browsers bring. */
async function listening() {
    const brought = [];
    const server = createServer((request, answer) => {
        if (request.url.startsWith("/callback")) brought.push(request.url);
        answer.setHeader("content-type", "text/html").end("<title>Example</title><link rel=icon href=data:,><h1>Welcome back</h1>");
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${server.address().port}`;
    return { host, address: `http://${host}/callback`, brought, close: () => server.close() };
}

/** Presses a button with the keyboard. */
async function press(page, name) {
    await page.getByRole("button", { name, exact: true }).focus();
    await page.keyboard.press("Enter");
}

/** A registered application on the user's machine, and the request with which it begins. */
async function asking({ api, token, permit, openid }) {
    const app = await listening();
    permit(app.host);
    const asked = { name: "Example", kind: "public", grants: ["authorization_code"], redirect_uris: ["http://127.0.0.1/callback"] };
    const body = JSON.stringify({ ...asked, scopes: ["openid", "email", "orders:read", "orders:write"] });
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const made = await (await fetch(`${api}/v1/applications`, { method: "POST", headers, body })).json();
    const execute = [openid.allowInsecureRequests];
    const config = await openid.discovery(new URL(api), made.application.id, undefined, openid.None(), { execute });
    const [pkceCodeVerifier, expectedNonce] = [openid.randomPKCECodeVerifier(), openid.randomNonce()];
    const asks = openid.buildAuthorizationUrl(config, {
        redirect_uri: app.address,
        scope: "openid email orders:read orders:write",
        nonce: expectedNonce,
        code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: "S256",
    });
    const checks = { pkceCodeVerifier, expectedNonce, idTokenExpected: true };
    /** The claims of the ID token for what the browser has brought. */
    const claims = async () => {
        const tokens = await openid.authorizationCodeGrant(config, new URL(app.brought.pop(), app.address), checks);
        return tokens.claims();
    };
    return { app, asks, claims };
}

/** A user signs in to an application, allows it, says no the second time, and signs out. */
async function application(browser, email) {
    const { api, open, shoot } = browser;
    const { app, asks, claims } = await asking(browser);
    const page = await open(NO_SCRIPTS);
    await page.goto(asks.href);
    await heading(page, "Sign in");
    await page.getByText("to go on to Example").waitFor();
    await shoot(page, "sign-in");
    await page.getByLabel("E-mail address").focus();
    await page.keyboard.insertText(email);
    await page.keyboard.press("Tab");
    await page.keyboard.insertText(FIRST);
    await page.keyboard.press("Enter");
    await page.getByText("The address or the password is wrong.").waitFor();
    const { name, description, invalid } = await spoken(page);
    assert.deepEqual([name, description, invalid], ["Password", "The address or the password is wrong.", "true"]);
    assert.equal(await page.getByLabel("E-mail address").inputValue(), email);
    await shoot(page, "sign-in-refused");
    await page.keyboard.insertText(SECOND);
    await page.keyboard.press("Enter");

    await heading(page, "Allow Example?");
    await page.getByText("order, pay and cancel for you").waitFor();
    await shoot(page, "allow");
    await press(page, "Allow");
    await heading(page, "Welcome back");
    assert.equal((await claims()).email, email);

    // The browser is signed in. The user says no this time.
    await page.goto(asks.href);
    await heading(page, "Allow Example?");
    await press(page, "Do not allow");
    await heading(page, "Welcome back");
    assert.match(app.brought.pop(), /error=access_denied/);

    await page.goto(`${api}/auth/sign-out`);
    await heading(page, "Sign out");
    await shoot(page, "sign-out");
    await press(page, "Sign out");
    await heading(page, "You are signed out");
    await shoot(page, "signed-out");
    await page.goto(asks.href);
    await heading(page, "Sign in");
    await page.goto(asks.href.replace("redirect_uri=", "redirect_uri=https%3A%2F%2Fevil.example%2F"));
    await heading(page, "This application asks in a way that does not work");
    await shoot(page, "application-asks-wrongly");
    app.close();
}

/** What an authenticator app shows for a secret in base 32 (RFC 6238). */
function appCode(secret) {
    const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
    const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
    const step = Buffer.alloc(8);
    step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
    const mac = createHmac("sha1", key).update(step).digest();
    return String((mac.readUInt32BE(mac[19] & 15) & 0x7fff_ffff) % 1_000_000).padStart(6, "0");
}

/** A user sets up a second factor, and signs in with a recovery code: the app's code is used by the setting up. */
async function secondFactor({ api, open, shoot }, email) {
    const ask = async (path, body, token) => {
        const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
        return (await fetch(`${api}${path}`, { method: "POST", headers, body: JSON.stringify(body) })).json();
    };
    const { access_token } = await ask("/v1/auth/login", { email, password: SECOND });
    const { secret } = await ask("/v1/me/totp", { current_password: SECOND }, access_token);
    const { recovery_codes } = await ask("/v1/me/totp/confirmation", { code: appCode(secret) }, access_token);
    const page = await open(NO_SCRIPTS);
    await page.goto(`${api}/auth/sign-in`);
    await page.getByLabel("E-mail address").focus();
    await page.keyboard.insertText(email);
    await page.keyboard.press("Tab");
    await page.keyboard.insertText(SECOND);
    await page.keyboard.press("Enter");
    await heading(page, "Enter a code");
    await shoot(page, "code");
    await send(page, "000000");
    await page.getByText("This code is wrong, or it was used.").waitFor();
    const { name, description, invalid } = await spoken(page);
    assert.deepEqual([name, invalid], ["Code", "true"]);
    assert.match(description, /^The 6 digits .* This code is wrong/s);
    await shoot(page, "code-refused");
    await send(page, recovery_codes[0].toLowerCase());
    await heading(page, "You are signed in");
    await shoot(page, "signed-in");
}

/** An invitation comes by mail. The user joins after the sign-in. */
async function invitation({ api, aws, token, open, shoot }, email) {
    const ask = async (path, body) => {
        const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
        return (await fetch(`${api}${path}`, { method: "POST", headers, body: JSON.stringify(body) })).json();
    };
    const { id } = await ask("/v1/tenants", { name: "Analytical Engines" });
    await ask(`/v1/tenants/${id}/invitations`, { email, role: "editor" });
    const page = await open(NO_SCRIPTS);
    await page.goto(await link(aws, email, 3));
    await heading(page, "Join Analytical Engines?");
    await shoot(page, "join");
    await press(page, "Join");
    await heading(page, "Sign in");
    await page.getByText("to go on to your invitation").waitFor();
    assert.equal(await page.getByLabel("E-mail address").inputValue(), email);
    await page.getByLabel("Password").focus();
    await page.keyboard.insertText(SECOND);
    await page.keyboard.press("Enter");
    await heading(page, "Join Analytical Engines?");
    await press(page, "Join");
    await heading(page, "You are a member");
    await shoot(page, "joined");
}

/** A user signs in with an outside provider: registers there, comes back, links it to an account by mail, and goes on to an application. */
async function provider(browser, email) {
    const { api, aws, open, shoot, permit, Provider } = browser;
    const outside = await outsideProvider(Provider, api);
    permit(outside.host);
    /** A browser that is not signed in anywhere, signs in at the provider with this address. */
    const comes = async (address, url = `${api}/auth/sign-in`) => {
        const page = await open(NO_SCRIPTS);
        await page.goto(url);
        await press(page, "Sign in with Local");
        await heading(page, "Sign in at Local");
        await send(page, address);
        return page;
    };
    const somebody = `outside-${email}`;
    const page = await comes(somebody);
    await page.getByText(`You are signed in as ${somebody}`).waitFor();
    await shoot(page, "signed-in-by-provider");
    await follow(page, "Sign out");
    await press(page, "Sign out");
    await heading(page, "You are signed out");
    // The provider knows the browser, and asks nothing: it redirects at once.
    await page.goto(`${api}/auth/sign-in`);
    await press(page, "Sign in with Local");
    await page.getByText(`You are signed in as ${somebody}`).waitFor();

    // The address has an account.
    const other = await comes(email);
    await heading(other, "Look at your mailbox");
    await shoot(other, "look-at-your-mailbox");
    await other.goto(await link(aws, email, 4));
    await heading(other, "Sign in with Local");
    await shoot(other, "link-identity");
    await press(other, "Use Local for my account");
    await heading(other, "It is done");
    await shoot(other, "identity-is-linked");
    await follow(other, "Sign in");
    await heading(other, "Sign in");
    await shoot(other, "sign-in-with-provider");
    await press(other, "Sign in with Local");
    await other.getByText(`You are signed in as ${email}`).waitFor();

    // For an application, which the user is asked about.
    const { app, asks, claims } = await asking(browser);
    const third = await comes(somebody, asks.href);
    await heading(third, "Allow Example?");
    await press(third, "Allow");
    await heading(third, "Welcome back");
    assert.equal((await claims()).email, somebody);
    app.close();

    outside.close();
}

/** Types the address and the password, with the keyboard. */
async function typeCredentials(page, email) {
    await page.getByLabel("E-mail address").focus();
    await page.keyboard.insertText(email);
    await page.keyboard.press("Tab");
    await page.keyboard.insertText(SECOND);
    await page.keyboard.press("Enter");
}

/** A user adds a passkey, signs in with it alone and after the password, and removes it. The authenticator is the browser's own. */
async function passkeys({ api, open, shoot }, email) {
    const plain = await open(NO_SCRIPTS);
    await plain.goto(`${api}/auth/sign-in`);
    await press(plain, "Sign in with a passkey");
    await plain.getByText("This needs JavaScript").waitFor();
    assert.equal(await plain.getByRole("button", { name: "Go on" }).count(), 0);

    const page = await open();
    const device = await page.context().newCDPSession(page);
    await device.send("WebAuthn.enable");
    const kind = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true };
    await device.send("WebAuthn.addVirtualAuthenticator", { options: { ...kind, isUserVerified: true, automaticPresenceSimulation: true } });
    await page.goto(`${api}/auth/passkeys`);
    await page.getByText("to go on to your passkeys").waitFor();
    await typeCredentials(page, email);
    await heading(page, "Passkeys");
    await page.getByLabel("Name of a new passkey").fill("Laptop");
    await page.getByLabel("Your password").fill(FIRST);
    await press(page, "Add a passkey");
    await page.getByText("The password is another one.").waitFor();
    assert.deepEqual((await spoken(page)).name, "Your password");
    await page.keyboard.insertText(SECOND);
    await press(page, "Add a passkey");
    await heading(page, "Add a passkey");
    await page.getByRole("button", { name: "Go on" }).waitFor();
    await shoot(page, "add-passkey");
    await press(page, "Go on");
    await heading(page, "Keep your recovery codes");
    assert.equal(await page.getByRole("listitem").count(), 10);
    await shoot(page, "recovery-codes");
    await follow(page, "Go on to your passkeys");
    await page.getByText("Laptop, added on").waitFor();
    await shoot(page, "passkeys");

    const leave = async () => {
        await page.goto(`${api}/auth/sign-out`);
        await press(page, "Sign out");
        await heading(page, "You are signed out");
        await page.goto(`${api}/auth/sign-in`);
    };
    await leave();
    await press(page, "Sign in with a passkey");
    await heading(page, "Sign in with a passkey");
    await page.getByRole("button", { name: "Go on" }).waitFor();
    await shoot(page, "sign-in-passkey");
    await press(page, "Go on");
    await page.getByText(`You are signed in as ${email}`).waitFor();
    await leave();
    await typeCredentials(page, email);
    await heading(page, "Enter a code");
    await shoot(page, "code-or-passkey");
    await press(page, "Use a passkey");
    await heading(page, "Sign in with a passkey");
    await press(page, "Go on");
    await page.getByText(`You are signed in as ${email}`).waitFor();

    await page.goto(`${api}/auth/passkeys`);
    await page.getByText("last used on").waitFor();
    await press(page, "Remove Laptop");
    await heading(page, "Remove Laptop?");
    await shoot(page, "remove-passkey");
    await send(page, SECOND);
    await heading(page, "Passkeys");
    assert.equal(await page.getByText("Laptop").count(), 0);
    await leave();
    await press(page, "Sign in with a passkey");
    await page.getByRole("button", { name: "Go on" }).waitFor();
    await press(page, "Go on");
    await page.getByText("This passkey is not accepted.").waitFor();
}

/** Walks through all pages. */
export async function run(browser) {
    const email = `browser-${randomBytes(6).toString("hex")}@example.org`;
    const page = await register(browser, email);
    await reset(browser, page, email);
    await application(browser, email);
    await invitation(browser, email);
    await provider(browser, email);
    await passkeys(browser, email);
    await secondFactor(browser, email);
    await fromAnotherSite(browser, email);
    await againstThePolicy(browser);
    await inAFrame(browser);
}
