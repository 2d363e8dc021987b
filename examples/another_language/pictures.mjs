// A program in another language, tested against the mock: `node --test pictures.test.mjs`.
export async function picture(prompt, { base = process.env.FLUX_BASE_URL, key = process.env.FLUX_API_KEY } = {}) {
  const response = await fetch(`${base}/v1/images/generations`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ model: "flux-pro-1.1-ultra", prompt }),
  });
  if (!response.ok) throw new Error(`the gateway answers ${response.status}`);
  const { data } = await response.json();
  const file = await fetch(data[0].url);
  return new Uint8Array(await file.arrayBuffer());
}
