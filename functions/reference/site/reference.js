// Starts Swagger UI with the document of this API, and makes it easy to call: an answer of the sign-in authorises the
// requests after it, and each request has an idempotency key of its own.

const LOGIN = "/v1/auth/login";

function withKey(request, example) {
  const name = Object.keys(request.headers).find((name) => name.toLowerCase() === "idempotency-key");
  if (name && request.headers[name] === example) request.headers[name] = crypto.randomUUID();
  return request;
}

function exampleOfKey(document) {
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path)) {
      const key = (operation.parameters ?? []).find((parameter) => parameter.name === "Idempotency-Key");
      if (key) return key.example ?? key.schema.example ?? key.schema.examples?.[0];
    }
  }
}

async function start() {
  // The API is where the page is: `make up` has it below the path of a stage.
  const root = new URL(".", location.href).href.replace(/\/$/, "");
  const document = await (await fetch(`${root}/v1/openapi.json`)).json();
  document.servers = [{ url: root }];
  const example = exampleOfKey(document);
  const ui = SwaggerUIBundle({
    dom_id: "#reference",
    spec: document,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: (request) => withKey(request, example),
    responseInterceptor: (response) => {
      if (response.ok && response.url.endsWith(LOGIN)) {
        ui.preauthorizeApiKey("access_token", JSON.parse(response.text).access_token);
      }
      return response;
    },
  });
}

start();
