// Prints what OpenAI's client for Node makes of scenarios: the class of its error, or "pictures".
// usage: node scenarios.mjs PATH-OF-THE-PACKAGE BASE-URL NAME...
import { pathToFileURL } from "node:url";

const [module, baseURL, ...names] = process.argv.slice(2);
const { default: OpenAI } = await import(pathToFileURL(module));
const client = new OpenAI({ apiKey: "sk-node", baseURL, maxRetries: 0, timeout: 1000 });
const found = {};
for (const name of names) {
  try {
    await client.images.generate({ model: "flux", prompt: "a medal" }, { headers: { Prefer: `scenario=${name}` } });
    found[name] = "pictures";
  } catch (error) {
    found[name] = error.constructor.name;
  }
}
console.log(JSON.stringify(found));
