// Starts Swagger UI with the document of this API, and makes it easy to call: an answer of the sign-in authorises the
// requests after it, and each request has an idempotency key of its own.

// Their answers have the access token; the first one has none for a user with a second factor, and another status.
const SIGN_INS = ["/v1/auth/login", "/v1/auth/login/code"];
// The name of the security scheme of access tokens in the document.
const SCHEME = "bearer";

// Swagger UI fills in an example of a parameter, but not one of its schema. Returns the key that it fills in.
function fillInKey(api) {
  let example;
  for (const operation of Object.values(api.paths).flatMap(Object.values)) {
    const key = (operation.parameters ?? []).find((parameter) => parameter.name === "Idempotency-Key");
    if (key) example = key.example = key.schema.examples[0];
  }
  return example;
}

// A user who does not choose a key gets a new one for each request.
function withOwnKey(request, example) {
  const name = Object.keys(request.headers).find((name) => name.toLowerCase() === "idempotency-key");
  if (name && request.headers[name] === example) request.headers[name] = crypto.randomUUID();
  return request;
}

async function start() {
  // The API is where the page is: `make up` has it below the path of a stage.
  const root = new URL(".", location.href).href.replace(/\/$/, "");
  const api = await (await fetch(`${root}/v1/openapi.json`)).json();
  api.servers = [{ url: root }];
  const example = fillInKey(api);
  const ui = SwaggerUIBundle({
    dom_id: "#reference",
    spec: api,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: (request) => withOwnKey(request, example),
    responseInterceptor: (response) => {
      if (response.status === 200 && SIGN_INS.some((path) => response.url.endsWith(path))) {
        ui.preauthorizeApiKey(SCHEME, JSON.parse(response.text).access_token);
      }
      return response;
    },
  });
}

start().catch((error) => {
  document.getElementById("reference").textContent = `The document of the API could not be loaded: ${error}`;
});
