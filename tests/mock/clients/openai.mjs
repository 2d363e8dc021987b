// Prints what OpenAI's client for Node makes of the mock: a picture, and the class of the error of each status.
// usage: node openai.mjs PATH-OF-THE-PACKAGE BASE-URL STATUS...
import { pathToFileURL } from "node:url";

const [module, baseURL, ...statuses] = process.argv.slice(2);
const { default: OpenAI } = await import(pathToFileURL(module));
const client = new OpenAI({ apiKey: "sk-node", baseURL, maxRetries: 0 });
const found = {};
const request = { model: "flux-pro-1.1-ultra", prompt: "a lighthouse", n: 2 };

const pictures = await client.images.generate(request);
const file = await fetch(pictures.data[1].url);
found.picture = [file.status, file.headers.get("content-type")];
for (const status of statuses) {
  try {
    await client.images.generate(request, { headers: { Prefer: `code=${status}` } });
    found[status] = null;
  } catch (error) {
    found[status] = [error.constructor.name, error.status];
  }
}
console.log(JSON.stringify(found));
