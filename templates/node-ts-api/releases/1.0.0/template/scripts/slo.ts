/** Print the rules for slo.yaml: `make slo` keeps them in observability/slo-rules.yaml. */

import { readFileSync } from "node:fs";

import { sloRules } from "./slo-rules.js";

process.stdout.write(sloRules(readFileSync("slo.yaml", "utf8")));
