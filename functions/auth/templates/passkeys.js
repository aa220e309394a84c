// Asks the browser for a passkey, puts it into the form, and sends the form. The page has the options of WebAuthn, and the
// function checks the answer.
"use strict";

const parsers = { create: "parseCreationOptionsFromJSON", get: "parseRequestOptionsFromJSON" };

for (const form of document.querySelectorAll("form[data-passkey]")) {
    const { passkey: action, options } = form.dataset;
    const parser = window.PublicKeyCredential?.[parsers[action]];
    document.querySelector("[data-without]").hidden = Boolean(parser);
    form.hidden = !parser;
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const failed = form.querySelector(".error");
        failed.hidden = true;
        try {
            const publicKey = parser.call(PublicKeyCredential, JSON.parse(options));
            form.elements.credential.value = JSON.stringify(await navigator.credentials[action]({ publicKey }));
            form.submit();
        } catch {
            failed.hidden = false;
        }
    });
}
