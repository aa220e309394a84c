// A client of auth, with the types that openapi-typescript generates. infra/local/clients.py compiles and runs it.

import type { paths } from "arsenal";
import createClient, { type Client } from "openapi-fetch";

import { signInToApplications } from "./oauth.ts";

export type Api = Client<paths>;

/** The version of the API for which these programs are written. */
const VERSION = { "Arsenal-Version": "2026-12-01" };

export const PASSWORD = "correct horse battery";

/** What openapi-fetch gives for each request. */
type Answer<Data, Problem> = { data?: Data; error?: Problem; response: Response };

/** Ends the program if something is not as it should be. */
export function check(isRight: boolean, what: string): asserts isRight {
    if (!isRight) {
        throw new Error(what);
    }
}

/** The body of an answer that is no refusal. */
export function body<Data, Problem>({ data, error, response }: Answer<Data, Problem>): Data {
    check(data !== undefined, `${response.url} answered ${response.status}: ${JSON.stringify(error)}`);
    return data;
}

/** The body of a refusal with this status. */
export function refusal<Data, Problem>({ error, response }: Answer<Data, Problem>, status: number): Problem {
    check(error !== undefined, `${response.url} answered ${response.status}, not ${status}`);
    check(response.status === status, `${response.url} answered ${response.status}: ${JSON.stringify(error)}`);
    return error;
}

/** A client with this access token. */
export function withToken(url: string, token: string): Api {
    return createClient<paths>({ baseUrl: url, headers: { ...VERSION, authorization: `Bearer ${token}` } });
}

interface Mail {
    To: string[];
    BodyText: string;
}

/** Waits for the mail to an address, in the mailbox of the local AWS. Gives the token of its link. */
async function tokenFor(url: string, email: string): Promise<string> {
    for (const end = Date.now() + 30_000; Date.now() < end; ) {
        const { messages } = (await (await fetch(new URL("/_ministack/ses/messages", url))).json()) as {
            messages: Record<string, Mail[]>;
        };
        const mails = Object.values(messages).flat();
        const token = mails.find((mail) => mail.To.includes(email))?.BodyText.match(/\?token=(\S+)/)?.[1];
        if (token !== undefined) {
            return token;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`There is no mail to ${email} after 30 s.`);
}

/** Registers a user, and gives the address. */
export async function newUser(url: string): Promise<string> {
    const api = createClient<paths>({ baseUrl: url, headers: VERSION });
    const email = `${crypto.randomUUID()}@example.org`;
    body(await api.POST("/v1/auth/register", { body: { email } }));
    const token = await tokenFor(url, email);
    const user = body(await api.POST("/v1/auth/confirm", { body: { token, password: PASSWORD } }));
    check(user.roles.includes("member"), `the roles of a new user: ${user.roles}`);
    return email;
}

/** A client of a new user. */
export async function signedIn(url: string): Promise<Api> {
    const api = createClient<paths>({ baseUrl: url, headers: VERSION });
    const credentials = { email: await newUser(url), password: PASSWORD };
    const tokens = body(await api.POST("/v1/auth/login", { body: credentials }));
    check("access_token" in tokens, "a new user has no second factor");
    check(tokens.token_type === "Bearer", tokens.token_type);
    return withToken(url, tokens.access_token);
}

/** Registers and signs in, tries a wrong password, and signs in to applications. */
export async function run(url: string, adminToken: string): Promise<void> {
    const api = await signedIn(url);
    const credentials = { email: "nobody@example.org", password: "a wrong password" };
    const problem = refusal(await api.POST("/v1/auth/login", { body: credentials }), 401);
    check("type" in problem && problem.type === "/docs/problems/invalid-credentials", JSON.stringify(problem));
    await signInToApplications(url, adminToken);
}
