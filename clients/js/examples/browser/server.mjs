// Serves the page beside it, and mints tokens for it: the key stays here.
//
//     ANTIPHON_URL=http://127.0.0.1:8400 ANTIPHON_API_KEY=... node server.mjs [PORT]

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const ANTIPHON = process.env.ANTIPHON_URL ?? "http://127.0.0.1:8400";
const KEY = process.env.ANTIPHON_API_KEY;
const HERE = new URL("./", import.meta.url);
const PACKAGE = new URL("../../", import.meta.url);
const TYPES = { ".html": "text/html", ".js": "text/javascript" };

/** Whoever may talk to your agent gets a token that is good for one minute. Ask who it is! */
async function mint() {
  const asked = await fetch(`${ANTIPHON}/v1/token?expires_in_seconds=60`, {
    headers: KEY ? { Authorization: `Bearer ${KEY}` } : {},
  });
  if (!asked.ok) return [502, "application/json", JSON.stringify({ error: asked.status })];
  const { token } = await asked.json();
  const url = ANTIPHON.replace(/^http/, "ws");
  return [200, "application/json", JSON.stringify({ token, url })];
}

/** A file of the page, or below /antiphon/ of the package. */
async function file(path) {
  const [root, name] = path.startsWith("/antiphon/")
    ? [PACKAGE, path.slice("/antiphon/".length)]
    : [HERE, path === "/" ? "index.html" : path.slice(1)];
  const url = new URL(name, root);
  const type = TYPES[extname(url.pathname)];
  if (!type || !url.href.startsWith(root.href)) return [404, "text/plain", "There is nothing here."];
  try {
    return [200, type, await readFile(fileURLToPath(url))];
  } catch {
    return [404, "text/plain", "There is nothing here."];
  }
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://here");
  const [status, type, body] = await (pathname === "/token" ? mint() : file(pathname)).catch(
    (error) => [502, "text/plain", String(error)],
  );
  response.writeHead(status, { "Content-Type": `${type}; charset=utf-8`, "Cache-Control": "no-store" });
  response.end(body);
});

server.listen(Number(process.argv[2] ?? 3000), "127.0.0.1", () => {
  console.log(`Open http://127.0.0.1:${server.address().port}`);
});
