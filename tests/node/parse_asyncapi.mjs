// Reads an AsyncAPI document from stdin with the official parser; prints what it says as JSON.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
console.log(
  JSON.stringify({
    diagnostics,
    messages: document ? document.messages().all().map((message) => message.id()) : null,
  }),
);
