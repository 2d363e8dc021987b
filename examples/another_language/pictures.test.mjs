import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { picture } from "./pictures.mjs";

const mock = process.env.FLUX_BASE_URL;
const control = (path, body) =>
  fetch(`${mock}/__mock__/${path}`, {
    method: "POST",
    headers: { "X-Flux-Mock": "control", "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

beforeEach(() => control("reset", {}));

test("a picture is bought once", async () => {
  const bytes = await picture("A polished silver medal");
  assert.deepEqual([...bytes.slice(0, 2)], [0xff, 0xd8]);
  assert.equal((await (await fetch(`${mock}/__mock__/bill`)).json()).pictures, 1);
});

test("an account without credit is an error", async () => {
  await control("reset", { credit: 0 });
  await assert.rejects(picture("A polished silver medal"), /403/);
});
