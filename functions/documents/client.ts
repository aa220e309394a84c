// A client of documents, with the types that openapi-typescript generates. infra/local/clients.py compiles and runs it.

import { readFile } from "node:fs/promises";

import type { DocumentWithResults, Upload } from "arsenal";

import { type Api, body, check, refusal, signedIn } from "../auth/client.ts";

const SAMPLE = "tests/pdf/invoice-pdfa2b.pdf";
const WITHIN_MILLISECONDS = 60_000;

/** Announces a file of this size. */
function announce(api: Api, size: number) {
    const header = { "Idempotency-Key": crypto.randomUUID() };
    return api.POST("/v1/documents", { params: { header }, body: { name: "invoice.pdf", size } });
}

/** Posts a file to S3. */
async function send(upload: Upload, file: Uint8Array<ArrayBuffer>): Promise<void> {
    check(upload.method === "POST", "The file was announced for an upload by a form.");
    const form = new FormData();
    for (const [name, value] of Object.entries(upload.fields)) {
        form.append(name, value);
    }
    form.append("file", new Blob([file], { type: "application/pdf" }));
    const answer = await fetch(upload.url, { method: upload.method, body: form });
    check(answer.ok, `S3 answered ${answer.status}: ${await answer.text()}`);
}

/** The document when it is finished. */
async function finished(api: Api, id: string): Promise<DocumentWithResults> {
    const params = { path: { document_id: id }, header: { Prefer: "wait=20" } };
    const end = Date.now() + WITHIN_MILLISECONDS;
    let document: DocumentWithResults;
    do {
        document = body(await api.GET("/v1/documents/{document_id}", { params }));
    } while (document.finished_at === undefined && Date.now() < end);
    return document;
}

/** Uploads a document and reads its results, and the list of documents page by page. */
export async function run(url: string): Promise<void> {
    const api = await signedIn(url);
    const file = new Uint8Array(await readFile(SAMPLE));
    const { document, upload } = body(await announce(api, file.length));
    await send(upload, file);
    const ready = await finished(api, document.id);
    check(ready.status === "ready", `the document: ${JSON.stringify(ready)}`);
    check(ready.stages?.text?.result?.pages === 1, JSON.stringify(ready.stages));

    const problem = refusal(await announce(api, 0), 422);
    check("type" in problem && problem.type === "/docs/problems/file-empty", JSON.stringify(problem));

    const second = body(await announce(api, file.length)).document;
    const page = body(await api.GET("/v1/documents", { params: { query: { limit: 1 } } }));
    const cursor = page.next_cursor;
    const next = body(await api.GET("/v1/documents", { params: { query: { limit: 1, cursor } } }));
    const ids = [...page.documents, ...next.documents].map(({ id }) => id);
    check(ids.join() === [second.id, document.id].join(), `the two pages: ${ids}`);
}
