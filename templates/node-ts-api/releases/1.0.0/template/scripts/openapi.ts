/** Print the OpenAPI description of the code: `make openapi` keeps it in openapi.yaml. */

import { stringify } from "yaml";

import { createApp } from "../src/app.js";

const app = await createApp();
await app.ready();
console.log("# Made from the code by `make openapi`; a test keeps the two equal.");
process.stdout.write(stringify(app.swagger(), { aliasDuplicateObjects: false, lineWidth: 0 }));
