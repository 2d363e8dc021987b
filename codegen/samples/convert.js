// Reads [{language, variant, method, url, headers, body}] and writes the code of each, in the same order, as JSON.
"use strict";
const generators = require("postman-code-generators");
const { Request } = require("postman-collection");

const OPTIONS = { indentCount: 4, indentType: "Space", trimRequestBody: false, followRedirect: true, requestTimeout: 0, includeBoilerplate: true };

function convert({ language, variant, method, url, headers, body }) {
    const request = new Request({
        method,
        url,
        header: Object.entries(headers).map(([key, value]) => ({ key, value })),
        body: body === null ? undefined : { mode: "raw", raw: body, options: { raw: { language: "json" } } },
    });
    return new Promise((resolve, reject) =>
        generators.convert(language, variant, request, OPTIONS, (error, code) => (error ? reject(error) : resolve(code))),
    );
}

const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
Promise.all(asked.map(convert)).then((codes) => process.stdout.write(JSON.stringify(codes)));
