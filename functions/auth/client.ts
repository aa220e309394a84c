// A client of auth, with the types that openapi-typescript generates. infra/local/clients.py compiles and runs it.

import type { paths } from "arsenal";
import createClient, { type Client } from "openapi-fetch";

export type Api = Client<paths>;

/** The version of the API for which these programs are written. */
const VERSION = { "Arsenal-Version": "2026-12-01" };

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

/** A client of a new user. */
export async function signedIn(url: string): Promise<Api> {
    const api = createClient<paths>({ baseUrl: url, headers: VERSION });
    const credentials = { email: `${crypto.randomUUID()}@example.org`, password: "correct horse battery" };
    const user = body(await api.POST("/v1/auth/register", { body: credentials }));
    check(user.roles.includes("member"), `the roles of a new user: ${user.roles}`);
    const token = body(await api.POST("/v1/auth/login", { body: credentials }));
    check(token.token_type === "Bearer", token.token_type);
    return withToken(url, token.access_token);
}

/** Registers and signs in, and tries a wrong password. */
export async function run(url: string): Promise<void> {
    const api = await signedIn(url);
    const credentials = { email: "nobody@example.org", password: "a wrong password" };
    const problem = refusal(await api.POST("/v1/auth/login", { body: credentials }), 401);
    check("type" in problem && problem.type === "/docs/problems/invalid-credentials", JSON.stringify(problem));
}
