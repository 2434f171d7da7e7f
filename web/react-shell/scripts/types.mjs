// Writes src/types/<service>.d.ts from the OpenAPI documents; with --check it only compares, and fails on drift.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const contracts = new URL("../../../tests/contract/", import.meta.url);
const types = new URL("../src/types/", import.meta.url);
const check = process.argv.includes("--check");
let drifted = false;

for (const service of ["users", "orders"]) {
  const source = new URL(`${service}.openapi.json`, contracts);
  const ast = await openapiTS(source, { alphabetize: true });
  const text = `// Generated from tests/contract/${service}.openapi.json by \`npm run types\`. Do not edit.\n${astToString(ast)}`;
  const target = new URL(`${service}.d.ts`, types);
  if (!check) {
    await writeFile(target, text);
  } else if ((await readFile(target, "utf8").catch(() => "")) !== text) {
    console.error(`src/types/${service}.d.ts is not what the OpenAPI document says: run \`npm run types\`.`);
    drifted = true;
  }
}
process.exit(drifted ? 1 : 0);
