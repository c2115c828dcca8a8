// Judge entities as Backstage's catalog does: a JSON list on stdin, a refusal on stdout and exit 1.
import {
  apiEntityV1alpha1Validator,
  componentEntityV1alpha1Validator,
  DefaultNamespaceEntityPolicy,
  EntityPolicies,
  FieldFormatEntityPolicy,
  NoForeignRootFieldsEntityPolicy,
  SchemaValidEntityPolicy,
} from "@backstage/catalog-model";
import { readFileSync } from "node:fs";

const policy = EntityPolicies.allOf([
  new SchemaValidEntityPolicy(),
  new DefaultNamespaceEntityPolicy(),
  new NoForeignRootFieldsEntityPolicy(),
  new FieldFormatEntityPolicy(),
]);
const kinds = [componentEntityV1alpha1Validator, apiEntityV1alpha1Validator];

let refused = 0;
for (const entity of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    await policy.enforce(entity);
    const known = await Promise.all(kinds.map((kind) => kind.check(entity)));
    if (!known.some(Boolean)) throw new Error("no kind knows it");
  } catch (error) {
    console.log(`${entity.kind} ${entity.metadata?.name}: ${error.message}`);
    refused += 1;
  }
}
process.exit(refused ? 1 : 0);
