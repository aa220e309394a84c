// Runs programs in Chromium: infra/local/browser.py starts it.
//
//     node browse.mjs CHROMIUM API AWS FOLDER PROGRAM…
//
// A program exports `run({ api, aws, token, open, shoot, permit, openid, Provider })`, which throws if something is not as it should be.
// `open` makes a page in a session of its own, `token` is an administrator's (ADMIN_TOKEN), `openid` is the library of an application, and
// `Provider` that of an outside provider. When all is done, the pages must have asked no other host for anything, but those that the program permits, and
// the browser must have complained about nothing: no broken rule of a Content-Security-Policy, no error of a script.

import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import Provider from "oidc-provider";
import * as openid from "openid-client";
import { chromium } from "playwright-core";

const [executablePath, api, aws, folder, ...programs] = process.argv.slice(2);
// Chromium itself asks nobody for anything.
const quiet = ["disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"];
const args = ["no-sandbox", "disable-gpu", ...quiet].map((name) => `--${name}`);
// How long the browser waits for what a program expects, in milliseconds.
const PATIENCE = 10_000;
const DESKTOP = { width: 1024, height: 768 };
// The narrowest phone in use.
const PHONE = { width: 320, height: 568 };

const complaints = [];
const permitted = new Set([new URL(api).host]);

/** Notes what a session must not do. An answer with an error status is no complaint: pages have them. */
function watch(context) {
    context.setDefaultTimeout(PATIENCE);
    context.on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol !== "data:" && !permitted.has(url.host)) {
            complaints.push(`a request to ${url}`);
        }
    });
    context.on("console", (message) => {
        if (!message.text().startsWith("Failed to load resource")) {
            complaints.push(`${message.page()?.url()}: ${message.text()}`);
        }
    });
    context.on("weberror", (error) => complaints.push(String(error.error())));
}

/** Pictures of a page for each width and colour scheme. A page must not be wider than the phone. */
async function shoot(system, page, name) {
    for (const [device, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ["light", "dark"]) {
            await page.emulateMedia({ colorScheme });
            await page.screenshot({ path: `${folder}/${system}-${name}-${device}-${colorScheme}.png` });
        }
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert(width <= viewport.width, `${name}: ${width} pixels wide on a ${device}`);
    }
}

const browser = await chromium.launch({ executablePath, args });
try {
    for (const program of programs) {
        const system = basename(dirname(fileURLToPath(program)));
        const open = async (options = {}) => {
            const context = await browser.newContext({ viewport: DESKTOP, ...options });
            watch(context);
            return context.newPage();
        };
        const { run } = await import(program);
        const permit = (host) => permitted.add(host);
        const { ADMIN_TOKEN: token } = process.env;
        await run({ api, aws, token, open, shoot: (page, name) => shoot(system, page, name), complaints, permit, openid, Provider });
        assert.deepEqual(complaints, [], program);
    }
} finally {
    await browser.close();
}
